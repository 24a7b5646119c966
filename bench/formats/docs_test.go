package formats

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocs sees that docs/import.md names every format and every key of the schema.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, f := range All {
		if !strings.Contains(page, "\n| `"+f.Name+"` |") {
			t.Errorf("the format %s is not described", f.Name)
		}
	}
	keys := reflect.TypeFor[Measurement]()
	for i := range keys.NumField() {
		key, _, _ := strings.Cut(keys.Field(i).Tag.Get("json"), ",")
		if key != "" && !strings.Contains(page, "`"+key+"`") {
			t.Errorf("the key %s is not described", key)
		}
	}
}
