-- The private word that a parent chose (safety rule D5): a keyed hash of the whole message in small letters. NULL: none.
ALTER TABLE party ADD COLUMN quiet_word TEXT;
