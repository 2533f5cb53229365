package events

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// docs/events.md knows every event and every field.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, kind := range Kinds() {
		if !strings.Contains(page, fmt.Sprintf("| `%s` |", kind)) {
			t.Errorf("%s is not on the page", kind)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Event]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, `"`+name+`"`) {
			t.Errorf("%s is not on the page", name)
		}
	}
	if !strings.Contains(page, fmt.Sprintf("latest %d events", Kept)) {
		t.Errorf("the page does not say that %d events are kept", Kept)
	}
}
