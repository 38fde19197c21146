-- No row: a login under another key.
update credential
set key_fingerprint = $2, nonce = $3, ciphertext = $4
where venue = $1
