# Ereignisse, das Protokoll der Mails, Diagnose.
nav-events = Ereignisse
nav-log = Protokoll
nav-diagnostics = Diagnose

events-title = Ereignisse
events-lead = Was mit den Postfächern geschah und was Administratoren taten, das Neueste zuerst. Die neuesten 500 jedes Postfachs bleiben erhalten.
events-empty = Es ist noch nichts geschehen.
events-every = Alles
event-failed = Fehlgeschlagen.
event-by = Von { $name }
event-from = aus { $address }
event-kind-admin = Administrator
event-kind-sign-in = Anmeldung beim Anbieter
event-kind-token = Zugriffstoken
event-kind-mailbox = Postfach
event-kind-mail = Mail
event-mailbox-connected = Das Postfach wurde verbunden.
event-mailbox-disconnected = Das Postfach wurde getrennt.
event-mailbox-set-up = Das Postfach wurde eingerichtet.
event-connection-tested = Die Verbindung wurde getestet.
event-a-look-for-mail-asked-for = Ein Nachsehen nach Mails wurde verlangt.
event-a-mail-tried-again = Eine Mail wurde erneut versucht.
event-a-mail-left-alone = Eine Mail wurde unbearbeitet gelassen.
event-a-quarantined-mail-dropped = Eine Mail der Quarantäne wurde verworfen.
event-quarantined-mail-downloaded = Eine Mail der Quarantäne wurde heruntergeladen.
event-sign-in-finished = Die Anmeldung wurde abgeschlossen.
event-sign-in-not-accepted = Die Anmeldung wurde nicht angenommen.
event-access-token-refreshed = Das Zugriffstoken wurde erneuert.
event-another-process-was-faster = Ein anderer Prozess hat das Zugriffstoken erneuert.
event-the-provider-gives-no-token-now = Der Anbieter gibt gerade kein Token; er wird erneut gefragt.
event-the-app-registration-is-refused = Der Anbieter lehnt die App-Registrierung ab.
event-the-grant-is-dead = Das Postfach muss neu verbunden werden.
event-a-burst-of-token-calls = Innerhalb einer Stunde wurde ungewöhnlich oft nach Tokens gefragt.
event-works-again = Es geht wieder.
event-the-mail-server-asks-to-wait = Der Mailserver bittet zu warten.

log-title = Protokoll der Mails
log-lead = Die letzten 500 Zeilen über Mails seit dem Start von mintgate, die neuesten zuerst. Mailadressen und alles, was ein Token sein könnte, sind ausgelassen.
log-again = Erneut nachsehen
log-follow = Mitlesen, alle 5 Sekunden
log-empty = Es gibt noch keine Zeile.

diagnostics-title = Diagnose
diagnostics-lead = Alles, was jemand braucht, der Ihnen hilft: auf Englisch, ohne Geheimnisse und ohne Adressen von Menschen. Lesen Sie es, bevor Sie es verschicken.
diagnostics-download = Als Text herunterladen
