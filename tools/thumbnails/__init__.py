"""The pictures of the gallery, drawn with NumPy and Pillow; one file a domain."""
