"""What fills a document in: parameters and placeholders, what of them is secret, what is missing."""
