"""What an installation has beside its code: a version, shipped files, word lists, extras, and code of the
user's own."""
