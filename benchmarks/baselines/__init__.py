"""What others do for the same result, each written as a user of that library writes it. Nothing here imports fer_audit."""
