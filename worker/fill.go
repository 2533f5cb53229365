package worker

import "errors"

// Template is a text beside a recipe in which the facts of a worker are filled in, such as the address that a probe asks.
// It is immutable.
type Template struct{ text text }

// NewTemplate parses a template and tries it with a sample worker, as NewRecipe does with its own. The error joins a
// *FieldError of that field for each thing that is wrong.
func NewTemplate(field, source string, sample Facts) (*Template, error) {
	t, err := parseText(FieldError{Field: field}, source)
	if err != nil {
		return nil, err
	}
	if errs := t.check(newData(sample)); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if _, err := t.render(newData(sample)); err != nil {
		return nil, err
	}
	return &Template{t}, nil
}

// Fill returns the text for one worker. It is pure.
func (t *Template) Fill(f Facts) (string, error) { return t.text.render(newData(f)) }
