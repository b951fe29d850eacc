# The overview: cards of mailboxes, what waits, what is configured; disconnecting.
other-host-advice = Open the console there before connecting, or set the public address.
came-as = you opened this page as { $host }, but a provider will send you back to
held = No answers are sent now:
no-bot = Nobody writes tickets yet:
    .sentence = mails become tickets through a helpdesk user of their own. Set MINTGATE_BOT_EMAIL and MINTGATE_BOT_PASSWORD to a helpdesk user that is not an administrator. Until then no tickets are made of mails.

first-run = Connect the first mailbox
    .sentence = Type its address; everything else is found from it. It takes about two minutes.
no-mailbox = No mailbox is connected.
sign-in-as = Sign in as { $address }.
connect-microsoft = Connect to Microsoft 365
connect-google = Connect to Google
another-mailbox = Set another mailbox up

card = Mailbox { $address }
card-shared = Shared mailbox { $address }
standing-well = Connected
standing-failing = Connected, but the last look failed
standing-paused = Paused
standing-dead = Has to be connected again
scope-missing = The permission { $scope } is missing.
without-read-write = Mails are read but cannot be marked as processed; answers are sent without a draft, so that a repeat first searches the sent mails.
without-send = Answers cannot be sent.
without-user = The signed-in account cannot be identified.
without-it = A function that needs it does not work.
failure = Error
failure-since = since
no-token = No new access token,
card-provider = Connection
kind-graph = Microsoft Graph
kind-google = Google, by IMAP and SMTP
kind-microsoft-imap = Microsoft 365, by IMAP and SMTP
kind-imap = IMAP and SMTP
card-connected = Connected
card-token = Token valid until
not-loaded = not loaded yet; it is fetched at its first use
card-refreshed = Last refresh
card-refresh = Next refresh
card-poll = Last look for mail
card-mail = Last mail
none-yet = none yet
card-lag = Oldest waiting mail
lag = waits for { $span }
lag-none = none waits
card-queue = Queue
queue = waiting: { $inbound } incoming, { $outgoing } outgoing
queue-failed = { $quarantined } put aside, { $failed } not sent
card-budget = Requests in the last minute
budget = { $used } of { $limit }
reconnect = Reconnect
test = Test the connection
disconnect = Disconnect

disconnect-title = Disconnect { $address }?
disconnect-sign-in = The stored tokens are deleted here. To end the permission at Microsoft too, remove the app at myapps.microsoft.com.
disconnect-google = The stored tokens are deleted here, and the permission is ended at Google.
disconnect-password = The stored password is deleted here.
disconnect-kept = Tickets and the record of mails stay. No more mail is read or sent until the address is connected again.
disconnect-waiting = { $count ->
    [one] One mail waits for this mailbox and stays behind.
   *[other] { $count } mails wait for this mailbox and stay behind.
}
keep-connected = Keep it connected

mails = Mails
direction = Direction
direction-in = Incoming
direction-out = Outgoing
mails-waiting = Waiting
mails-done = Done
mails-ignored = Left alone
mails-failed = Put aside or failed
put-aside = { $count ->
    [one] One mail could not be handled and was put aside.
   *[other] { $count } mails could not be handled and were put aside.
}
last-came = The last one came
not-sent = { $count ->
    [one] One answer could not be sent.
   *[other] { $count } answers could not be sent.
}
last-written = The last one was written
ticket = Ticket { $id }

app = Sign-in at Microsoft and Google
app-none = No app is registered at either. Mailboxes that take a password need none; a mailbox of Microsoft 365 needs one, and its set-up asks for it.
app-client = Client id
app-tenant = Tenant
app-secret = Client secret
    .kept = is set; it is never shown
app-redirect = Redirect URI to register, exactly so (at Microsoft for the platform Web)
no-address = No public address:
    .sentence = set console.publicUrl, so that the provider knows where to send you back to.
app-scopes = Permissions
