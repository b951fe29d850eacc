# Two who change the same settings.
difference = Setting
difference-stored = Stored now
difference-entered = You entered
yes = yes
no = no
