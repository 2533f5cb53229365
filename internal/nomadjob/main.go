// Command nomadjob reads the job in examples/fleet as Nomad would, by the types of Nomad's own API: a block or an attribute
// that these do not have is a mistake, and so is a value of another type. It writes what it read as JSON, with the sum of the
// file, for a test of the examples. It is a module of its own, for the modules that it needs, and no part of make test:
//
//	go -C internal/nomadjob run . > internal/nomadjob/job.json
//	go -C internal/nomadjob test .
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
)

const path = "../../examples/fleet/fleet.nomad.hcl"

func main() {
	text, err := os.ReadFile(path)
	if err == nil {
		text, err = generate(text)
	}
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// job has its id as a label.
type job struct {
	Label string `hcl:",label"`
	api.Job
}

func generate(text []byte) ([]byte, error) {
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	tree, err := read(file.Body.(*hclsyntax.Body), reflect.TypeFor[struct {
		Job []job `hcl:"job,block"`
	}]())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	tree["sha256"] = hex.EncodeToString(sum[:])
	written, err := json.MarshalIndent(tree, "", " ")
	return append(written, '\n'), err
}
