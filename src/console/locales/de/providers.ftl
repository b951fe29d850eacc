# Was nur einen Anbieter betrifft.

way-microsoft-imap = Mit Microsoft anmelden, über IMAP und SMTP
    .hint = wenn Ihre Organisation Apps von Microsoft Graph fernhält; IMAP und authentifiziertes SMTP müssen für das Postfach erlaubt sein
google-testing = Wählen Sie bei Google „Intern“ für eine Workspace-Organisation oder veröffentlichen Sie den Zustimmungsbildschirm: solange er im Test ist, endet jede Anmeldung nach sieben Tagen.
no-google-client = Google ist nicht eingerichtet
    .sentence = Es gibt noch keinen OAuth-Client bei Google oder keine öffentliche Adresse. Tragen Sie den Client unter „App-Registrierungen“ ein, oder setzen Sie GOOGLE_CLIENT_ID und GOOGLE_CLIENT_SECRET; die Adresse ist console.publicUrl.
mail-not-ticked = Der Zugriff auf Mail wurde nicht erlaubt
    .sentence = Googles Seite hat für jede Berechtigung ein Kästchen. Verbinden Sie neu und setzen Sie das Häkchen bei Lesen und Senden von E-Mails in Gmail; ohne es kann keine Mail gelesen werden.
unnamed-account = Anmeldung nicht angenommen
    .sentence = Der Anbieter hat nicht gesagt, welche Adresse das Konto hat, oder sie nicht bestätigt. Melden Sie sich mit dem Konto des Postfachs selbst an.
without-read = Mails können nicht gelesen werden.
