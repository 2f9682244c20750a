"""What a notebook shows in the place of an object: small tables and heat maps as HTML, of bounded size, with every text escaped."""
