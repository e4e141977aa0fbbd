"""How do programs in other languages use it? HTTP and JSON, by the admin's own rules."""
