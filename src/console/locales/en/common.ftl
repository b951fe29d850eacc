# What is on every page, times, and refusals.
title = Mail connection
skip = Skip to the content
nav-label = Console
nav-helpdesk = Helpdesk
nav-overview = Overview
signed-in-as = Signed in as { $name }. As of { $time }.
go-on-with-set-up = Go on with the set-up
open-again = Open that page again
back-to-console = Back to the console
error-title = Error: { $title }
who-can = Who can put it right: { $who }.
for-support = For the provider's support
reason-unknown = no reason was noted

alarm = { $address } has to be connected again.
    .since = Its mail stands still since { $time } ({ $ago }).
    .action = Connect { $address } again
    .password = Enter the password of { $address } again
alarm-waiting = { $count ->
    [0] No mail waits here for it.
    [one] One mail waits here for it.
   *[other] { $count } mails wait here for it.
}
copy = Copy
copied = Copied

ago = { $span } ago
ahead = in { $span }
seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}

method = Not possible
    .sentence = This address does not take this kind of request.
not-found = Not found
    .sentence = There is no such page.
not-admin = Administrators only
    .sentence = Sign in to the helpdesk as an administrator first.
foreign-form = Not accepted
    .sentence = The form was not sent from this page, or your sign-in has changed. Open the page again and repeat.
bad-form = Not understood
    .sentence = The form is not complete. Open the page again and repeat.
sign-in-gone = This sign-in cannot be finished
    .sentence = It is unknown, has expired or was used already. Start again from the console.
not-configured = Not configured
    .sentence = The app registration or the public address is missing. A registration is entered under “App registrations”, the address is console.publicUrl.
too-many = Too many sign-ins at once
    .sentence = Finish one of the sign-ins that are open, or wait ten minutes.
not-connected = Not connected
    .sentence = There is no connected mailbox.
provider-silent = The provider cannot be reached
    .sentence = The sign-in service did not give a usable answer. Nothing was changed; try again in a moment.
not-genuine = Sign-in not accepted
    .sentence = The proof of who signed in does not fit this sign-in. Nothing was changed; start again.
not-lasting = Sign-in not accepted
    .sentence = The provider gave no lasting access (offline_access). Allow it in the app registration and connect again.
broken = Something went wrong
    .sentence = The store could not be used. Nothing was lost; try again.
another-account = Another account signed in
    .sentence = { $address } signed in, but the mailbox is { $wanted }. Nothing was changed. Sign in once more, and choose { $wanted } at the provider.
other-sender = Another account signed in
    .sentence = { $address } signed in, but this installation uses { $wanted }. Nothing was changed. Connect again with { $wanted }, or change { $origin } (disconnect first if a mailbox is connected).

leave = To { $provider }'s sign-in
    .sentence = Sign in there with the mailbox account and accept the permissions.
    .onward = Go on to { $provider }
returned = Back from { $provider }
    .sentence = The sign-in is being finished.
    .onward = Finish the sign-in

test-passed = The connection works
test-failed = The connection does not work
check-passed = passed
check-failed = failed
