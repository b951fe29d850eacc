# Beiseitegelegte Mails.
nav-quarantine = Quarantäne
quarantine-title = Quarantäne
quarantine-lead = Mails, die sich nicht lesen ließen oder die der Helpdesk endgültig ablehnt. Mit ihnen geschieht nichts mehr, bis Sie entscheiden; ihre Bytes sind aufgehoben.
quarantine-empty = Keine Mail ist beiseitegelegt.
quarantine-mail = Mail { $id }
quarantine-look = Die Mail ansehen
quarantine-safe = Diese Mail hat ein Fremder geschrieben. Hier läuft nichts aus ihr, kein Bild wird geladen und keine Datei geöffnet.
quarantine-download = Herunterladen, wie sie kam (.eml)
quarantine-drop = Verwerfen …
quarantine-all-known = Alles, was über sie bekannt ist
quarantine-text = Was sie sagt
quarantine-frame = Die eigene Seite der Mail, unschädlich gemacht
quarantine-as-text = Als reiner Text
quarantine-unreadable = Sie lässt sich nicht als Mail lesen. Ihre Kopfzeilen stehen unten; ihre Bytes lassen sich herunterladen.
quarantine-files = Dateien, nur dem Namen nach
quarantine-headers = Kopfzeilen
bytes = { $count } Bytes

drop-title = Mail { $id } verwerfen?
drop-means = Mit ihr geschieht nichts mehr, und aus ihr wird kein Ticket. Ihre Bytes bleiben so lange wie die anderer Mails; im Postfach wird sie behandelt wie eine erledigte Mail.
drop-reason = Warum sie verworfen wird (bleibt bei der Mail stehen)
drop-now = Verwerfen
drop-not = Behalten
