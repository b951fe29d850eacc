# Events, the mail log, diagnostics.
nav-events = Events
nav-log = Log
nav-diagnostics = Diagnostics

events-title = Events
events-lead = What happened to the mailboxes and what administrators did, newest first. The newest 500 of each mailbox are kept.
events-empty = Nothing has happened yet.
events-every = Everything
event-failed = Failed.
event-by = By { $name }
event-from = from { $address }
event-kind-admin = Administrator
event-kind-sign-in = Sign-in at the provider
event-kind-token = Access token
event-kind-mailbox = Mailbox
event-kind-mail = Mail
event-mailbox-connected = The mailbox was connected.
event-mailbox-disconnected = The mailbox was disconnected.
event-mailbox-set-up = The mailbox was set up.
event-connection-tested = The connection was tested.
event-a-look-for-mail-asked-for = A look for mail was asked for.
event-a-mail-tried-again = A mail was tried again.
event-a-mail-left-alone = A mail was left alone.
event-a-quarantined-mail-dropped = A mail was dropped from the quarantine.
event-quarantined-mail-downloaded = A mail of the quarantine was downloaded.
event-sign-in-finished = The sign-in was finished.
event-sign-in-not-accepted = The sign-in was not accepted.
event-access-token-refreshed = The access token was refreshed.
event-another-process-was-faster = Another process refreshed the access token.
event-the-provider-gives-no-token-now = The provider gives no token now; it is asked again.
event-the-app-registration-is-refused = The provider refuses the app registration.
event-the-grant-is-dead = The mailbox has to be connected again.
event-a-burst-of-token-calls = Unusually many tokens were asked for within an hour.
event-works-again = It works again.
event-the-mail-server-asks-to-wait = The mail server asks to wait.

log-title = Mail log
log-lead = The last 500 lines about mail since mintgate was started, newest first. Mail addresses and whatever might be a token are left out.
log-again = Look again
log-follow = Follow, every 5 seconds
log-empty = There is no line yet.

diagnostics-title = Diagnostics
diagnostics-lead = Everything that somebody needs who helps you, in English, without secrets and without addresses of people. Read it before you send it.
diagnostics-download = Download as text
