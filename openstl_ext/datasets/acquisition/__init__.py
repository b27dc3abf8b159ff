"""Getting files from elsewhere: fetched, verified and unpacked, or not there at all."""
