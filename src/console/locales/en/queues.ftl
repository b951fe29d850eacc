# Queues: lists of mails, one mail, and what can be done with it.
nav-queues = Queues
    .counts = { $waiting } waiting, { $failed } stuck

queues-title = Queues
queues-lead = Every mail on its way, newest first. What waits goes on by itself; what is put aside or given up waits for you.
queues-lists = Lists
queues-mailboxes = Mailboxes
queues-empty = Nothing is here.
every-mailbox = Every mailbox
list-in-waiting = Incoming, waiting
list-in-failed = Incoming, put aside
list-in-done = Incoming, done
list-out-waiting = Outgoing, waiting
list-out-failed = Outgoing, given up
list-out-done = Outgoing, sent
pages = Pages
newest = Newest
older = Older

line-since = since
line-tries = { $count ->
    [0] not tried yet
    [one] { $count } failed try
   *[other] { $count } failed tries
}
line-due = due now
line-next = next try
line-ended = ended

mail-title = Mail { $name }
mail-says = What the mail says
mail-decide = What you can do
mail-state-new = Waiting
    .sentence = It is stored and is read at the next look.
mail-state-intent = On its way to the helpdesk
    .sentence = It is decided what becomes of it; the helpdesk has not confirmed it yet.
mail-state-done = Done
    .sentence = Its ticket or comment is at the helpdesk.
mail-state-ignored = Left alone
    .sentence = It was read, and nothing was to be done.
mail-state-quarantined = Put aside
    .sentence = Nothing more happens to it until you decide. Its bytes are kept.
mail-state-queued = Waiting
    .sentence = It is sent at the next try.
mail-state-sending = Being sent
    .sentence = It is prepared at the mail server; whether it went is looked up before anything is repeated.
mail-state-sent = Sent
    .sentence = The mail server took it.
mail-state-failed = Given up
    .sentence = It is not sent any more unless you say so.

fact-mailbox = Mailbox
fact-received = Received
fact-written = Written
fact-tries = Failed tries
fact-next-try = Next try
fact-decision = Decision
fact-decision-ticket = Ticket it belongs to
fact-decided = Decided
fact-reason = Reason
fact-ticket = Ticket
fact-files = Files and text
    .link = As shown to agents
fact-ended = Ended
fact-message-id = Message-ID
fact-source-key = Id at the mail server
fact-brings-files = Files it brings
fact-bytes = Bytes kept
fact-kind = What it is
fact-recipient = To
fact-dispatched = Last handed to the mail server
fact-sent = Sent
fact-doubled = Times sent again without proof
fact-provider-id = Draft at the mail server
fact-comment = Comment at the helpdesk
fact-from = From
fact-subject = Subject
fact-date = Date
fact-taken-for = Taken for
taken-for-person = Written by a person

intent-open = Open a new ticket
intent-reply = Add a comment of the customer
intent-note = Add a quiet note, which nobody has to act on
outgoing-answer = An agent's answer
outgoing-acknowledgement = The notice that a ticket was opened
outgoing-closing = The notice that a ticket was closed
outgoing-too-large = The notice that a mail was too large

retry-now = Try again now
skip-mail = Leave it alone
skip-reason = Why it is left alone
    .hint = Kept with the mail, for whoever looks here next. Nothing more is done with the mail.
back-to-queues = Back to the queues

told-retried = It is tried again now. Load this page again to see how it went.
told-skipped = It is left alone from now on.
told-dropped = It is dropped: nothing more is done with it.
told-overtaken = Nothing was changed: somebody else, or the worker, has changed this mail since you opened the page. This is how it stands now.
