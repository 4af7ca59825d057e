"""Who is in the set: files and labels of face datasets. No image is opened here."""
