# The registration at a provider: values in each other's place, the client secret's end, an administrator's consent.
slip-secret-id = The client secret is a GUID: that is its Secret ID. Create a client secret and copy the Value beside it.
slip-secret-shape = The client secret does not look like one of Microsoft's, which have about 40 characters and a “~”. Check that it was copied whole.
slip-client-id = The client id is no GUID. Copy the “Application (client) ID” from the app registration's overview.
slip-google-client-id = The client id does not end in “.apps.googleusercontent.com”, as Google's do. Copy it from the OAuth client.
slip-google-secret-as-id = The client id begins with “GOCSPX-”: that is the client secret. Swap the two.
slip-google-id-as-secret = The client secret ends in “.apps.googleusercontent.com”: that is the client id. Swap the two.

caution-personal = This is a personal Microsoft account, and the configured app registration is for one organisation, so that Microsoft will not sign it in. Under Authentication, set “Supported account types” to “Accounts in any organizational directory and personal Microsoft accounts”, and set the tenant id (microsoft.tenantId, MICROSOFT_TENANT_ID) to “consumers”.
caution-personal-new = This is a personal Microsoft account. It needs an app registration with the account types “Accounts in any organizational directory and personal Microsoft accounts”, and “consumers” as tenant id (microsoft.tenantId, MICROSOFT_TENANT_ID).
caution-organisation = The configured tenant is “consumers”, which signs in personal Microsoft accounts only. For a mailbox of an organisation, set the tenant id to the organisation's own.

secret-ends = The client secret of the app registration at Microsoft ends at { $time } ({ $ago }).
secret-over = The client secret of the app registration at Microsoft ended at { $time } ({ $ago }): no mail can be fetched or sent.
secret-renew = Create a new one, set its Value where the present one is set ({ $secret }) and its day ({ $expires }), and restart mintgate. Mailboxes stay connected.
card-secret = Client secret valid until

consent-title = Microsoft asks for an administrator's approval?
consent-link = Link for an administrator of your Microsoft 365 organisation
    .hint = Who opens it agrees for everybody that this helpdesk may read and send mail in mailboxes whose owners sign in. It needs no account here and may be sent by mail.
consent-open = Open it yourself
consent-given = Thank you: the permissions are granted
    .sentence = You can close this page. The mailbox can now be connected in the helpdesk's console.
consent-refused = The permissions were not granted
    .sentence = Nothing was changed. The link can be opened again, by an administrator of the organisation.

advice-nothing-readable = Permissions are missing: with what was granted no mail can be read.
    .to-do = Add the delegated permissions that the connect step lists to the app registration, and connect again.
