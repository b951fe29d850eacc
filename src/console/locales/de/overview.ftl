# Die Übersicht: Karten der Postfächer, was wartet, was eingerichtet ist; Trennen.
other-host-advice = Öffnen Sie die Konsole vor dem Verbinden dort, oder setzen Sie die öffentliche Adresse.
came-as = Sie haben diese Seite als { $host } geöffnet, aber ein Anbieter schickt Sie zurück zu
held = Es werden gerade keine Antworten gesendet:
no-bot = Noch schreibt niemand Tickets:
    .sentence = Aus Mails macht ein eigener Helpdesk-Benutzer Tickets. Setzen Sie MINTGATE_BOT_EMAIL und MINTGATE_BOT_PASSWORD auf einen Helpdesk-Benutzer, der kein Administrator ist. Bis dahin werden aus Mails keine Tickets.

first-run = Das erste Postfach verbinden
    .sentence = Geben Sie seine Adresse ein; alles andere wird daraus ermittelt. Es dauert etwa zwei Minuten.
no-mailbox = Es ist kein Postfach verbunden.
sign-in-as = Melden Sie sich als { $address } an.
connect-microsoft = Mit Microsoft 365 verbinden
connect-google = Mit Google verbinden
another-mailbox = Weiteres Postfach einrichten

card = Postfach { $address }
card-shared = Freigegebenes Postfach { $address }
standing-well = Verbunden
standing-failing = Verbunden, aber der letzte Blick schlug fehl
standing-paused = Angehalten
standing-dead = Muss neu verbunden werden
scope-missing = Die Berechtigung { $scope } fehlt.
without-read-write = Mails werden gelesen, aber nicht als bearbeitet markiert; Antworten gehen ohne Entwurf hinaus, vor einer Wiederholung wird in den gesendeten Mails gesucht.
without-send = Antworten können nicht gesendet werden.
without-user = Das angemeldete Konto kann nicht festgestellt werden.
without-it = Eine Funktion, die sie braucht, arbeitet nicht.
failure = Fehler
failure-since = seit
no-token = Kein neues Zugriffstoken,
card-provider = Verbindung
kind-graph = Microsoft Graph
kind-google = Google, über IMAP und SMTP
kind-microsoft-imap = Microsoft 365, über IMAP und SMTP
kind-imap = IMAP und SMTP
card-connected = Verbunden
card-token = Token gültig bis
not-loaded = noch nicht geladen; es wird bei der ersten Verwendung geholt
card-refreshed = Zuletzt erneuert
card-refresh = Nächste Erneuerung
card-poll = Letzter Blick ins Postfach
card-mail = Letzte Mail
none-yet = noch keiner
card-lag = Älteste wartende Mail
lag = wartet seit { $span }
lag-none = keine wartet
card-queue = Warteschlange
queue = wartend: { $inbound } eingehend, { $outgoing } ausgehend
queue-failed = { $quarantined } beiseitegelegt, { $failed } nicht gesendet
card-budget = Anfragen in der letzten Minute
budget = { $used } von { $limit }
reconnect = Neu verbinden
test = Verbindung testen
disconnect = Trennen

disconnect-title = { $address } trennen?
disconnect-sign-in = Die gespeicherten Token werden hier gelöscht. Um die Berechtigung auch bei Microsoft zu beenden, entfernen Sie die App unter myapps.microsoft.com.
disconnect-google = Die gespeicherten Token werden hier gelöscht, und die Berechtigung bei Google wird beendet.
disconnect-password = Das gespeicherte Passwort wird hier gelöscht.
disconnect-kept = Tickets und das Verzeichnis der Mails bleiben. Bis die Adresse wieder verbunden ist, wird keine Mail gelesen oder gesendet.
disconnect-waiting = { $count ->
    [one] Eine Mail wartet auf dieses Postfach und bleibt zurück.
   *[other] { $count } Mails warten auf dieses Postfach und bleiben zurück.
}
keep-connected = Verbunden lassen

mails = Mails
direction = Richtung
direction-in = Eingehend
direction-out = Ausgehend
mails-waiting = Wartend
mails-done = Erledigt
mails-ignored = Nicht beachtet
mails-failed = Beiseitegelegt oder gescheitert
put-aside = { $count ->
    [one] Eine Mail konnte nicht verarbeitet werden und liegt beiseite.
   *[other] { $count } Mails konnten nicht verarbeitet werden und liegen beiseite.
}
last-came = Die letzte kam
not-sent = { $count ->
    [one] Eine Antwort konnte nicht gesendet werden.
   *[other] { $count } Antworten konnten nicht gesendet werden.
}
last-written = Die letzte wurde geschrieben
ticket = Ticket { $id }

app = Anmeldung bei Microsoft und Google
app-none = Bei keinem von beiden ist eine App registriert. Postfächer mit Passwort brauchen keine; ein Postfach von Microsoft 365 braucht eine, und seine Einrichtung fragt danach.
app-client = Client-ID
app-tenant = Mandant
app-secret = Geheimer Clientschlüssel
    .kept = ist gesetzt; er wird nie gezeigt
app-redirect = Umleitungs-URI, genau so einzutragen (bei Microsoft für die Plattform Web)
no-address = Keine öffentliche Adresse:
    .sentence = Setzen Sie console.publicUrl, damit der Anbieter weiß, wohin er Sie zurückschicken soll.
app-scopes = Berechtigungen
