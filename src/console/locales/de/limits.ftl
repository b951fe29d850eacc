# Zu viel auf einmal. $seconds: so lange ist zu warten.
slow-down = Nicht so schnell
    .sentence = Das wurde in kurzer Zeit zu oft versucht. Warten Sie { $seconds } s, gehen Sie dann zurück und versuchen Sie es noch einmal. Es wurde nichts geändert.
