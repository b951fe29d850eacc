# Was auf jeder Seite steht, Zeiten und Absagen.
title = Mailanbindung
skip = Zum Inhalt springen
nav-label = Konsole
nav-helpdesk = Helpdesk
nav-overview = Übersicht
signed-in-as = Angemeldet als { $name }. Stand: { $time }.
go-on-with-set-up = Mit der Einrichtung weitermachen
open-again = Diese Seite neu öffnen
back-to-console = Zurück zur Konsole
error-title = Fehler: { $title }
who-can = Wer es beheben kann: { $who }.
for-support = Für den Support des Anbieters
reason-unknown = kein Grund vermerkt

alarm = { $address } muss neu verbunden werden.
    .since = Seine Mail steht still seit { $time } ({ $ago }).
    .action = { $address } neu verbinden
    .password = Passwort von { $address } neu eingeben
alarm-waiting = { $count ->
    [0] Hier wartet keine Mail darauf.
    [one] Hier wartet eine Mail darauf.
   *[other] Hier warten { $count } Mails darauf.
}
copy = Kopieren
copied = Kopiert

ago = vor { $span }
ahead = in { $span }
seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tagen
}

method = Nicht möglich
    .sentence = Diese Adresse nimmt diese Art von Anfrage nicht an.
not-found = Nicht gefunden
    .sentence = Diese Seite gibt es nicht.
not-admin = Nur für Administratoren
    .sentence = Melden Sie sich zuerst im Helpdesk als Administrator an.
foreign-form = Nicht angenommen
    .sentence = Das Formular kam nicht von dieser Seite, oder Ihre Anmeldung hat sich geändert. Öffnen Sie die Seite neu und wiederholen Sie den Schritt.
bad-form = Nicht verstanden
    .sentence = Das Formular ist nicht vollständig. Öffnen Sie die Seite neu und wiederholen Sie den Schritt.
sign-in-gone = Diese Anmeldung kann nicht abgeschlossen werden
    .sentence = Sie ist unbekannt, abgelaufen oder schon verwendet. Beginnen Sie in der Konsole von vorn.
not-configured = Nicht eingerichtet
    .sentence = Die App-Registrierung oder die öffentliche Adresse fehlt. Eine Registrierung wird unter „App-Registrierungen“ eingetragen, die Adresse ist console.publicUrl.
too-many = Zu viele Anmeldungen zugleich
    .sentence = Schließen Sie eine der offenen Anmeldungen ab, oder warten Sie zehn Minuten.
not-connected = Nicht verbunden
    .sentence = Es ist kein Postfach verbunden.
provider-silent = Der Anbieter ist nicht erreichbar
    .sentence = Der Anmeldedienst gab keine brauchbare Antwort. Nichts wurde geändert; versuchen Sie es gleich noch einmal.
not-genuine = Anmeldung nicht angenommen
    .sentence = Der Nachweis, wer sich angemeldet hat, passt nicht zu dieser Anmeldung. Nichts wurde geändert; beginnen Sie von vorn.
not-lasting = Anmeldung nicht angenommen
    .sentence = Der Anbieter gab keinen dauerhaften Zugriff (offline_access). Erlauben Sie ihn in der App-Registrierung und verbinden Sie neu.
broken = Etwas ging schief
    .sentence = Der Speicher war nicht benutzbar. Nichts ging verloren; versuchen Sie es noch einmal.
another-account = Ein anderes Konto hat sich angemeldet
    .sentence = { $address } hat sich angemeldet, aber das Postfach ist { $wanted }. Nichts wurde geändert. Melden Sie sich noch einmal an und wählen Sie beim Anbieter { $wanted }.
other-sender = Ein anderes Konto hat sich angemeldet
    .sentence = { $address } hat sich angemeldet, aber diese Installation verwendet { $wanted }. Nichts wurde geändert. Verbinden Sie neu mit { $wanted }, oder ändern Sie { $origin } (trennen Sie vorher ein verbundenes Postfach).

leave = Zur Anmeldung bei { $provider }
    .sentence = Melden Sie sich dort mit dem Konto des Postfachs an und stimmen Sie den Berechtigungen zu.
    .onward = Weiter zu { $provider }
returned = Zurück von { $provider }
    .sentence = Die Anmeldung wird abgeschlossen.
    .onward = Anmeldung abschließen

test-passed = Die Verbindung funktioniert
test-failed = Die Verbindung funktioniert nicht
check-passed = bestanden
check-failed = fehlgeschlagen
