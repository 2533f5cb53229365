package logs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// asObject is a line as an object, read back.
func asObject(t testing.TB, line string, more bool) map[string]json.RawMessage {
	t.Helper()
	of := Worker{Pool: `we"b`, Slot: 2, ID: 7}
	b := appendObject(nil, appendTime(nil, time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC).UnixNano()), objectHead(of, stderr), []byte(line), more)
	if bytes.Count(b, newline) != 1 || b[len(b)-1] != '\n' || !utf8.Valid(b) {
		t.Fatalf("%q became %q", line, b)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	var m map[string]json.RawMessage
	if err := d.Decode(&m); err != nil || d.More() {
		t.Fatalf("%q became %q: %v", line, b, err)
	}
	for key, want := range map[string]string{"time": `"2026-03-01T12:00:00.000001Z"`, "pool": `"we\"b"`, "slot": "2", "worker_id": "7", "stream": `"stderr"`} {
		if string(m[key]) != want {
			t.Fatalf("%s is %s in %q", key, m[key], b)
		}
	}
	return m
}

func TestObjects(t *testing.T) {
	deep := strings.Repeat(`{"a":`, deepest-1) + "{}" + strings.Repeat("}", deepest-1)
	for _, line := range []string{
		`{}`, `{"level":"info","n":-1.5e+3}`, `{"time":"1970","pool":"evil","pool":"twice"}`, "{\"a\":1}\r", ` {"a":[1,{"b":null}],"c":"\u00e9 é"} `, deep,
	} {
		m := asObject(t, line, false)
		if got := string(m["log"]); got != strings.TrimSpace(line) || m["message"] != nil || len(m) != 6 {
			t.Errorf("%q: %s", line, m)
		}
	}
	for _, line := range []string{
		"", "text", `{"a":1} {"b":2}`, `{"a":1}}`, `}`, `{`, `{"a":1,}`, `[1]`, `"s"`, "1", "null", `{'a':1}`, `{"a":01}`, `{"a":NaN}`, "{\"a\":\"\x01\"}",
		"{\"a\":\"\xff\"}", `{"a":"\x"}`, `{"a":1} // no`, `{"a":` + deep + `}`, strings.Repeat(`{"a":`, 9000), `","pool":"evil`, "\x1b[31mred\x1b[0m\t\x00\x7f \\ \"",
		"\xed\xa0\x80", "é\u2028", "tail\xc3",
	} {
		m := asObject(t, line, false)
		var text string
		if err := json.Unmarshal(m["message"], &text); err != nil || text != strings.ToValidUTF8(line, "\ufffd") && strings.Count(text, "\ufffd") == 0 || m["log"] != nil || len(m) != 6 {
			t.Errorf("%q: %s, %v", line, m, err)
		}
	}
	if m := asObject(t, `{"a":1}`, true); string(m["partial"]) != "true" || m["log"] != nil {
		t.Errorf("a piece: %s", m)
	}
}

// A command before the workers has no slot.
func TestObjectWithoutSlot(t *testing.T) {
	if got := string(objectHead(Worker{Pool: "web", Slot: NoSlot}, stdout)); got != `","pool":"web","stream":"stdout",` {
		t.Error(got)
	}
}

func FuzzObject(f *testing.F) {
	for _, line := range []string{`{"a":1}`, `{"a":[true,false,null,{}],"b":-0.1E-2}`, "\xff\"\\\n\x00", `{"a":"\ud800"}`, `{"`, `{"a":1e5}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ReplaceAll(line, newline, []byte(" "))
		m := asObject(t, string(line), false)
		trimmed := bytes.TrimSpace(line)
		want := len(trimmed) > 1 && trimmed[0] == '{' && trimmed[len(trimmed)-1] == '}' && json.Valid(trimmed) && utf8.Valid(trimmed) && depthOf(trimmed) <= deepest
		if (m["log"] != nil) != want {
			t.Fatalf("%q: an object is %t", line, want)
		}
	})
}

// depthOf is how deep JSON is nested.
func depthOf(b []byte) int {
	d := json.NewDecoder(bytes.NewReader(b))
	most, now := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
			most = max(most, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}
