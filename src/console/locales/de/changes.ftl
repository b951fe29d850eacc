# Zwei, die dieselben Einstellungen ändern.
difference = Einstellung
difference-stored = Jetzt gespeichert
difference-entered = Von Ihnen eingegeben
yes = ja
no = nein
