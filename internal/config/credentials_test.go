package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/worker"
)

// credentialsWorld has the files in a directory of credentials, with the real os.ReadFile.
func credentialsWorld(t *testing.T, files map[string]string) (w World, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	getenv := func(name string) string {
		if name == credentialsDirectory {
			return dir
		}
		return ""
	}
	return World{Getenv: getenv, ReadFile: os.ReadFile}, dir
}

func TestReadCredential(t *testing.T) {
	longest := strings.Repeat("x", maxCredential)
	w, dir := credentialsWorld(t, map[string]string{
		"plain": "s3cret", "line": "s3cret\n", "lines": "a\nb\n\n", "windows": "x\r\n", "empty": "", "newline": "\n",
		"signs": "key1:a,b;key2:$c{{d}}=", "longest": longest, "longest-line": longest + "\n", "binary": "a\x00b\n",
	})
	const digestOfPlain = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
	tests := []struct{ word, value, digest string }{
		{"plain", "s3cret", ""},
		{"line", "s3cret", ""},
		{"lines", "a\nb\n", ""},
		{"windows", "x\r", ""},
		{"empty", "", ""},
		{"newline", "", ""},
		{"signs", "key1:a,b;key2:$c{{d}}=", ""},
		{"longest", longest, ""},
		{"longest-line", longest, ""},
		{dir + "/line", "s3cret", ""},
		{"path:plain", dir + "/plain", digestOfPlain},
		{"path:" + dir + "/plain", dir + "/plain", digestOfPlain},
		{"path:" + dir + "//./plain", dir + "/plain", digestOfPlain},
		{"path:binary", dir + "/binary", "3a100994c4e38751871e6e8eef9adad2b20177fdeaf650daacdcd74f4c9421e3"},
	}
	for _, tt := range tests {
		value, digest, err := readCredential(w, tt.word)
		if err != nil || value != tt.value || digest != tt.digest {
			t.Errorf("%.60s: %.60q, digest %q, %v", tt.word, value, digest, err)
		}
	}
}

func TestDigestFollowsContent(t *testing.T) {
	w, dir := credentialsWorld(t, map[string]string{"a": "1", "b": "1\n"})
	_, a, errA := readCredential(w, "path:a")
	_, b, errB := readCredential(w, "path:"+dir+"/b")
	if errA != nil || errB != nil || a == "" || a == b {
		t.Errorf("%q, %v; %q, %v", a, errA, b, errB)
	}
}

func TestBadCredentials(t *testing.T) {
	const secret = "hunter2"
	w, dir := credentialsWorld(t, map[string]string{
		"binary": secret + "\x00", "big": strings.Repeat(secret, maxCredential/len(secret)+1),
	})
	nowhere := World{Getenv: func(string) string { return "" }, ReadFile: os.ReadFile}
	relative := World{Getenv: func(string) string { return "run/credentials" }, ReadFile: os.ReadFile}
	tests := []struct {
		name  string
		world World
		word  string
		want  string
	}{
		{"no directory", nowhere, secret, "$CREDENTIALS_DIRECTORY is not set: put LoadCredential= or SetCredential= into the unit"},
		{"no directory for a path", nowhere, "path:" + secret, "or write the absolute path of a file"},
		{"relative directory", relative, secret, "is not an absolute path"},
		{"no file", w, secret, "cannot read credential in " + dir + ": no such file or directory"},
		{"no file for a path", w, "path:" + secret, "cannot read credential in " + dir + ": no such file or directory"},
		{"no file there", w, dir + "/none", "cannot read credential " + dir + "/none: no such file or directory"},
		{"a directory", w, dir, "is a directory"},
		{"the directory", w, ".", "this is a directory"},
		{"the one above", w, "..", "this is a directory"},
		{"a slash", w, "../" + secret, "a name has no slash, and a path begins with one"},
		{"a slash in a path", w, "path:" + secret + "/x", "a name has no slash, and a path begins with one"},
		{"empty", w, "", "the name is empty"},
		{"empty path", w, "path:", "the name is empty"},
		{"long", w, strings.Repeat("x", 256), "the name has 256 bytes, more than 255"},
		{"a space", w, secret + " x", "printable ASCII"},
		{"a key", w, "-----BEGIN\n" + secret, "printable ASCII"},
		{"two colons", w, "path:path:x", "printable ASCII"},
		{"NUL", w, "binary", "it contains a NUL byte; path:binary passes its path"},
		{"too big", w, dir + "/big", fmt.Sprintf("more than %d; path:%s/big passes its path", maxCredential, dir)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, digest, err := readCredential(tt.world, tt.word)
			if err == nil || value != "" || digest != "" || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%q, %q, %v", value, digest, err)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				text, _ := json.Marshal(e)
				if shown := fmt.Sprintf("%v %+v %#v %s", e, e, e, text); strings.Contains(shown, secret) {
					t.Errorf("the secret is in %s", shown)
				}
			}
		})
	}
}

func TestUnreadableCredentialKeepsItsCause(t *testing.T) {
	w, _ := credentialsWorld(t, nil)
	w.ReadFile = func(name string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	if _, _, err := readCredential(w, "key"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

func TestLiteral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune("{}-. `\"")))).Draw(t, "value")
		value = strings.ReplaceAll(value, "\x00", "")
		recipe, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{literal(value + "x")}}, worker.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		made, err := recipe.Build(worker.Facts{})
		if err != nil || made.Argv[0] != value+"x" {
			t.Fatalf("%q became %q, %v", value, made.Argv[0], err)
		}
	})
}
