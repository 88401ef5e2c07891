"""The typed SIMT program that every language is read into and written from."""
