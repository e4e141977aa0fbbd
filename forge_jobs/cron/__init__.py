"""When does an expression fire? Pure: text in, moments out."""
