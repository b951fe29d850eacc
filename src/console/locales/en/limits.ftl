# Too much at once. $seconds: how long to wait.
slow-down = Not so fast
    .sentence = This was tried too often in a short time. Wait { $seconds } s, then go back and try again. Nothing was changed.
