# What is particular to one provider.

way-microsoft-imap = Sign in with Microsoft, by IMAP and SMTP
    .hint = where your organisation keeps apps away from Microsoft Graph; IMAP and authenticated SMTP have to be allowed for the mailbox
google-testing = At Google, choose “Internal” for a Workspace organisation, or publish the consent screen: while it is in testing, every sign-in ends after seven days.
no-google-client = Google is not set up
    .sentence = There is no OAuth client at Google, or no public address yet. Enter the client under “App registrations”, or set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET; the address is console.publicUrl.
mail-not-ticked = Access to mail was not allowed
    .sentence = Google’s page has a box for each permission. Connect again and tick the one about reading and sending mail in Gmail; without it no mail can be read.
unnamed-account = Sign-in not accepted
    .sentence = The provider did not say which address the account has, or has not verified it. Sign in with the mailbox’s own account.
without-read = Mails cannot be read.
