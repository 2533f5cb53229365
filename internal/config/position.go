package config

// Position returns where a key stands in the file, or the table that it would be in: line and column, from 1; 0 for a
// configuration that came from flags. Keys are made with Key.
func (c *Config) Position(key string) (line, column int) {
	if c.doc == nil {
		return 0, 0
	}
	line, column, _ = c.doc.place(c.doc.find(key))
	return line, column
}

// Problem is a problem with a key that was found later, such as an address that cannot be had.
func (c *Config) Problem(key, message, hint string) Problem {
	p := Problem{Key: key, Message: message, Hint: hint}
	if c.doc != nil {
		p.File = c.doc.name
		p.Line, p.Column, p.Source = c.doc.place(c.doc.find(key))
	}
	return p
}
