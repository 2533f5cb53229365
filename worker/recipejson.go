package worker

import (
	"encoding/json"
	"unicode/utf8"
)

// anyText is a string in JSON whatever its bytes are. Those of the kernel (arguments, the environment, paths) need not be
// UTF-8, and encoding/json would replace what is not.
type anyText string

// strange is one that is not UTF-8.
type strange struct {
	Bytes []byte `json:"bytes"`
}

// MarshalJSON implements json.Marshaler.
func (t anyText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(strange{[]byte(t)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *anyText) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err == nil {
		*t = anyText(s)
		return nil
	}
	var other strange
	if err := json.Unmarshal(text, &other); err != nil {
		return err
	}
	*t = anyText(other.Bytes)
	return nil
}

// plainRecipe is a RecipeConfig without its methods.
type plainRecipe RecipeConfig

// recipeJSON has in front of those of RecipeConfig the fields that may have any bytes.
type recipeJSON struct {
	plainRecipe
	Argv       []anyText
	InheritEnv []anyText
	Env        []varJSON
	Dir        anyText
}

type varJSON struct{ Name, Value anyText }

// MarshalJSON implements json.Marshaler: every byte is as it was afterwards.
func (c RecipeConfig) MarshalJSON() ([]byte, error) {
	j := recipeJSON{plainRecipe: plainRecipe(c), Argv: convert[anyText](c.Argv), InheritEnv: convert[anyText](c.InheritEnv), Dir: anyText(c.Dir)}
	for _, v := range c.Env {
		j.Env = append(j.Env, varJSON{anyText(v.Name), anyText(v.Value)})
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *RecipeConfig) UnmarshalJSON(text []byte) error {
	var j recipeJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*c = RecipeConfig(j.plainRecipe)
	c.Argv, c.InheritEnv, c.Dir = convert[string](j.Argv), convert[string](j.InheritEnv), string(j.Dir)
	for _, v := range j.Env {
		c.Env = append(c.Env, Var{string(v.Name), string(v.Value)})
	}
	return nil
}

// convert keeps nil what is nil.
func convert[To, From ~string](all []From) []To {
	if all == nil {
		return nil
	}
	other := make([]To, len(all))
	for i, one := range all {
		other[i] = To(one)
	}
	return other
}
