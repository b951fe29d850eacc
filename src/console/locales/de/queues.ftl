# Warteschlangen: Listen von Mails, eine Mail, und was sich mit ihr tun lässt.
nav-queues = Warteschlangen
    .counts = { $waiting } warten, { $failed } hängen

queues-title = Warteschlangen
queues-lead = Jede Mail auf ihrem Weg, die neuesten zuerst. Was wartet, geht von selbst weiter; was beiseitegelegt oder aufgegeben ist, wartet auf Sie.
queues-lists = Listen
queues-mailboxes = Postfächer
queues-empty = Hier ist nichts.
every-mailbox = Alle Postfächer
list-in-waiting = Eingang, wartet
list-in-failed = Eingang, beiseitegelegt
list-in-done = Eingang, erledigt
list-out-waiting = Ausgang, wartet
list-out-failed = Ausgang, aufgegeben
list-out-done = Ausgang, gesendet
pages = Seiten
newest = Neueste
older = Ältere

line-since = seit
line-tries = { $count ->
    [0] noch kein Versuch
    [one] { $count } Fehlversuch
   *[other] { $count } Fehlversuche
}
line-due = jetzt fällig
line-next = nächster Versuch
line-ended = beendet

mail-title = Mail { $name }
mail-says = Was die Mail sagt
mail-decide = Was Sie tun können
mail-state-new = Wartet
    .sentence = Sie ist gespeichert und wird beim nächsten Durchgang gelesen.
mail-state-intent = Auf dem Weg zum Helpdesk
    .sentence = Es ist entschieden, was aus ihr wird; der Helpdesk hat es noch nicht bestätigt.
mail-state-done = Erledigt
    .sentence = Ihr Ticket oder Kommentar ist im Helpdesk.
mail-state-ignored = Unbearbeitet gelassen
    .sentence = Sie wurde gelesen, und es war nichts zu tun.
mail-state-quarantined = Beiseitegelegt
    .sentence = Mit ihr geschieht nichts mehr, bis Sie entscheiden. Ihre Bytes sind aufgehoben.
mail-state-queued = Wartet
    .sentence = Sie wird beim nächsten Versuch gesendet.
mail-state-sending = Wird gesendet
    .sentence = Sie liegt beim Mailserver bereit; ob sie schon ging, wird geprüft, bevor etwas wiederholt wird.
mail-state-sent = Gesendet
    .sentence = Der Mailserver hat sie angenommen.
mail-state-failed = Aufgegeben
    .sentence = Sie wird nicht mehr gesendet, es sei denn, Sie wollen es.

fact-mailbox = Postfach
fact-received = Empfangen
fact-written = Geschrieben
fact-tries = Fehlversuche
fact-next-try = Nächster Versuch
fact-decision = Entscheidung
fact-decision-ticket = Ticket, zu dem sie gehört
fact-decided = Entschieden
fact-reason = Grund
fact-ticket = Ticket
fact-files = Dateien und Text
    .link = So wie Agenten sie sehen
fact-ended = Beendet
fact-message-id = Message-ID
fact-source-key = Kennung beim Mailserver
fact-brings-files = Dateien, die sie mitbringt
fact-bytes = Aufgehobene Bytes
fact-kind = Was es ist
fact-recipient = An
fact-dispatched = Zuletzt dem Mailserver übergeben
fact-sent = Gesendet
fact-doubled = Ohne Nachweis erneut gesendet
fact-provider-id = Entwurf beim Mailserver
fact-comment = Kommentar im Helpdesk
fact-from = Von
fact-subject = Betreff
fact-date = Datum
fact-taken-for = Eingeschätzt als
taken-for-person = Von einem Menschen geschrieben

intent-open = Ein neues Ticket öffnen
intent-reply = Einen Kommentar des Kunden hinzufügen
intent-note = Eine stille Notiz hinzufügen, auf die niemand reagieren muss
outgoing-answer = Die Antwort eines Agenten
outgoing-acknowledgement = Die Nachricht, dass ein Ticket geöffnet wurde
outgoing-closing = Die Nachricht, dass ein Ticket geschlossen wurde
outgoing-too-large = Die Nachricht, dass eine Mail zu groß war

retry-now = Jetzt erneut versuchen
skip-mail = Unbearbeitet lassen
skip-reason = Warum sie unbearbeitet bleibt
    .hint = Bleibt bei der Mail stehen, für den Nächsten, der hier nachsieht. Mit der Mail geschieht nichts mehr.
back-to-queues = Zurück zu den Warteschlangen

told-retried = Sie wird jetzt erneut versucht. Laden Sie die Seite neu, um zu sehen, wie es ausging.
told-skipped = Sie bleibt von jetzt an unbearbeitet.
told-dropped = Sie ist verworfen: Mit ihr geschieht nichts mehr.
told-overtaken = Es wurde nichts geändert: Jemand anderes oder der Worker hat diese Mail verändert, seit Sie die Seite geöffnet haben. So steht es jetzt um sie.
