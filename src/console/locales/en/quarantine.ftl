# Mails that were put aside.
nav-quarantine = Quarantine
quarantine-title = Quarantine
quarantine-lead = Mails that could not be read, or that the helpdesk refuses for good. Nothing more happens to them until you decide; their bytes are kept.
quarantine-empty = No mail is put aside.
quarantine-mail = Mail { $id }
quarantine-look = Look at the mail
quarantine-safe = A stranger wrote this mail. Here nothing in it runs, no picture is fetched and no file is opened.
quarantine-download = Download as it came (.eml)
quarantine-drop = Drop it …
quarantine-all-known = All that is known of it
quarantine-text = What it says
quarantine-frame = The mail's own page, made harmless
quarantine-as-text = As plain text
quarantine-unreadable = It cannot be read as a mail. Its header lines are below; its bytes can be downloaded.
quarantine-files = Files, by name only
quarantine-headers = Header lines
bytes = { $count } bytes

drop-title = Drop mail { $id }?
drop-means = Nothing more is done with it, and no ticket is made of it. Its bytes stay as long as those of other mails; in the mailbox it is handled like a mail that is done.
drop-reason = Why it is dropped (kept with the mail)
drop-now = Drop it
drop-not = Keep it
