# Die Registrierung bei einem Anbieter: vertauschte Werte, das Ende des geheimen Clientschlüssels, die Zustimmung eines Administrators.
slip-secret-id = Der geheime Clientschlüssel ist eine GUID: das ist seine Geheimnis-ID. Erstellen Sie einen Clientschlüssel und kopieren Sie den Wert daneben.
slip-secret-shape = Der geheime Clientschlüssel sieht nicht aus wie einer von Microsoft; die haben etwa 40 Zeichen und eine „~“. Prüfen Sie, ob er ganz kopiert wurde.
slip-client-id = Die Client-ID ist keine GUID. Kopieren Sie die „Anwendungs-ID (Client)“ aus der Übersicht der App-Registrierung.
slip-google-client-id = Die Client-ID endet nicht auf „.apps.googleusercontent.com“ wie die von Google. Kopieren Sie sie vom OAuth-Client.
slip-google-secret-as-id = Die Client-ID beginnt mit „GOCSPX-“: das ist der Clientschlüssel. Vertauschen Sie die beiden.
slip-google-id-as-secret = Der Clientschlüssel endet auf „.apps.googleusercontent.com“: das ist die Client-ID. Vertauschen Sie die beiden.

caution-personal = Das ist ein persönliches Microsoft-Konto, und die eingerichtete App-Registrierung gilt für eine Organisation, sodass Microsoft es nicht anmelden wird. Setzen Sie unter „Authentifizierung“ die „Unterstützten Kontotypen“ auf „Konten in einem beliebigen Organisationsverzeichnis und persönliche Microsoft-Konten“ und die Mandanten-ID (microsoft.tenantId, MICROSOFT_TENANT_ID) auf „consumers“.
caution-personal-new = Das ist ein persönliches Microsoft-Konto. Es braucht eine App-Registrierung mit den Kontotypen „Konten in einem beliebigen Organisationsverzeichnis und persönliche Microsoft-Konten“ und „consumers“ als Mandanten-ID (microsoft.tenantId, MICROSOFT_TENANT_ID).
caution-organisation = Der eingerichtete Mandant ist „consumers“ und meldet nur persönliche Microsoft-Konten an. Für das Postfach einer Organisation setzen Sie deren eigene Mandanten-ID.

secret-ends = Der geheime Clientschlüssel der App-Registrierung bei Microsoft endet am { $time } ({ $ago }).
secret-over = Der geheime Clientschlüssel der App-Registrierung bei Microsoft endete am { $time } ({ $ago }): es kann keine Mail geholt oder gesendet werden.
secret-renew = Erstellen Sie einen neuen, setzen Sie seinen Wert dort, wo der jetzige steht ({ $secret }), und seinen Tag ({ $expires }), und starten Sie mintgate neu. Postfächer bleiben verbunden.
card-secret = Clientschlüssel gültig bis

consent-title = Microsoft verlangt die Zustimmung eines Administrators?
consent-link = Link für einen Administrator Ihrer Microsoft-365-Organisation
    .hint = Wer ihn öffnet, stimmt für alle zu, dass dieser Helpdesk in Postfächern, deren Inhaber sich anmelden, Mail lesen und senden darf. Er braucht hier kein Konto und darf per Mail verschickt werden.
consent-open = Selbst öffnen
consent-given = Danke: die Berechtigungen sind erteilt
    .sentence = Sie können diese Seite schließen. Das Postfach kann jetzt in der Konsole des Helpdesks verbunden werden.
consent-refused = Die Berechtigungen wurden nicht erteilt
    .sentence = Nichts wurde geändert. Der Link kann noch einmal geöffnet werden, von einem Administrator der Organisation.

advice-nothing-readable = Berechtigungen fehlen: mit dem, was erteilt wurde, kann keine Mail gelesen werden.
    .to-do = Fügen Sie der App-Registrierung die delegierten Berechtigungen hinzu, die der Verbinden-Schritt nennt, und verbinden Sie neu.
