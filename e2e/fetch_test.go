//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"testing"
)

// fetch makes one request, and reads all of the answer.
func fetch(t *testing.T, client *http.Client, method, url string) (said string, code int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), response.StatusCode
}
