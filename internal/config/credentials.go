package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// credentialsDirectory names the variable in which systemd.exec(5) says where LoadCredential= put the files.
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

const (
	// maxCredential is the size of the longest string that execve(2) takes, MAX_ARG_STRLEN of 32 pages, less the NUL
	// at its end. NAME= has to fit as well, which the kernel checks.
	maxCredential = 128<<10 - 1
	// maxCredentialName is NAME_MAX; systemd.exec(5) wants a short name of a file.
	maxCredentialName = 255
	byPath            = "path:"
)

// readCredential returns what a word under credentials stands for:
//
//	identity.pem           the content of this file in $CREDENTIALS_DIRECTORY
//	/abs/path              the content of this file
//	path:identity.pem      the path of this file in $CREDENTIALS_DIRECTORY, and the digest of its content
//	path:/abs/path         this path, and the digest of the file's content
//
// One newline at the end of a content is cut: editors and echo put one behind every line, and a password or a token
// with it would be another one. More than one is kept, because then somebody meant it.
//
// The digest is hexadecimal SHA-256, and "" where the value itself shows a change. No error shows content, nor a word
// that no file was found for, unless it is a path: it may be the secret itself, put in the wrong place. A value is
// literal: see parseEnvFile.
func readCredential(w World, word string) (value, digest string, err error) {
	name, wantPath := strings.CutPrefix(word, byPath)
	path, err := credentialPath(w, name)
	if err != nil {
		return "", "", err
	}
	content, err := w.ReadFile(path)
	switch {
	case err == nil:
	case path == filepath.Clean(name):
		return "", "", fmt.Errorf("cannot read credential %s: %w", path, withoutPath(err))
	default:
		return "", "", fmt.Errorf("cannot read credential in %s: %w", filepath.Dir(path), withoutPath(err))
	}
	if wantPath {
		sum := sha256.Sum256(content)
		return path, hex.EncodeToString(sum[:]), nil
	}
	value = strings.TrimSuffix(string(content), "\n")
	switch {
	case strings.ContainsRune(value, 0):
		return "", "", fmt.Errorf("cannot put credential %s into a variable: it contains a NUL byte; %s%s passes its path", path, byPath, name)
	case len(value) > maxCredential:
		return "", "", fmt.Errorf("cannot put credential %s into a variable: it has %d bytes, more than %d; %s%s passes its path", path, len(value), maxCredential, byPath, name)
	}
	return value, "", nil
}

// credentialPath finds the file. A name is one as systemd takes it; in a path nothing is resolved.
func credentialPath(w World, name string) (string, error) {
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	if err := checkCredentialName(name); err != nil {
		return "", fmt.Errorf("cannot use credential: %w", err)
	}
	dir := w.Getenv(credentialsDirectory)
	if dir == "" {
		return "", fmt.Errorf("cannot find credential: %w", errNoCredentials)
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("cannot find credential: $%s is not an absolute path", credentialsDirectory)
	}
	return filepath.Join(dir, name), nil
}

var errNoCredentials = errors.New("$" + credentialsDirectory + " is not set: put LoadCredential= or SetCredential= into the unit, " +
	"start with systemd-run --property=LoadCredential=..., or write the absolute path of a file")

func checkCredentialName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case name == "." || name == "..":
		return errors.New("this is a directory")
	case strings.Contains(name, "/"):
		return errors.New("a name has no slash, and a path begins with one")
	case len(name) > maxCredentialName:
		return fmt.Errorf("the name has %d bytes, more than %d", len(name), maxCredentialName)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }):
		return errors.New("a name is of printable ASCII without spaces and colons")
	}
	return nil
}

// withoutPath leaves out what the caller has said already.
func withoutPath(err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		return bad.Err
	}
	return err
}

// literal makes a value that a template of a recipe gives back unchanged.
func literal(value string) string { return strings.ReplaceAll(value, "{{", "{{`{{`}}") }
