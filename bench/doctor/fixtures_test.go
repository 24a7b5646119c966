package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The recorded machines, made after the documented formats of what they hold.
const (
	bareH100 = "bare-h100"
	esxiA100 = "esxi-a100"
	kvmB200  = "kvm-b200"
	vgpuH100 = "vgpu-h100"
	nothere  = "nothing"
)

var machines = []string{bareH100, esxiA100, kvmB200, vgpuH100, nothere}

func fixture(t testing.TB, name string) *Recording {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecording(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// An edit changes one thing of a recorded machine.
type edit func(t *testing.T, r *Recording)

// set gives a file another content.
func set(name, text string) edit {
	return func(t *testing.T, r *Recording) { r.files[name] = text }
}

// replace changes a part of a file or of a command's output, wherever it stands; it must be there.
func replace(name, old, with string) edit {
	return func(t *testing.T, r *Recording) {
		text, isFile := r.files[name]
		if !isFile {
			text = string(r.outputs[Command(name)])
		}
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		text = strings.ReplaceAll(text, old, with)
		if isFile {
			r.files[name] = text
		} else {
			r.outputs[Command(name)] = []byte(text)
		}
	}
}

// once changes the first occurrence alone.
func once(name, old, with string) edit {
	return func(t *testing.T, r *Recording) {
		text := string(r.outputs[Command(name)]) + r.files[name]
		i := strings.Index(text, old)
		if i < 0 {
			t.Fatalf("%s does not hold %q", name, old)
		}
		replace(name, text, text[:i]+with+text[i+len(old):])(t, r)
	}
}

// remove takes away files, links and outputs: a whole folder, or one.
func remove(name string) edit {
	return func(t *testing.T, r *Recording) {
		n := 0
		for _, table := range []map[string]string{r.files, r.links} {
			for p := range table {
				if p == name || strings.HasPrefix(p, name+"/") {
					delete(table, p)
					n++
				}
			}
		}
		if _, ok := r.outputs[Command(name)]; ok {
			delete(r.outputs, Command(name))
			n++
		}
		if n == 0 {
			t.Fatalf("%s is not there", name)
		}
	}
}

// deny makes a path unreadable without privilege.
func deny(name string) edit {
	return func(t *testing.T, r *Recording) {
		delete(r.files, name)
		delete(r.links, name)
		r.failures[name] = fs.ErrPermission
	}
}

// fail makes a command fail.
func fail(c Command, message string) edit {
	return func(t *testing.T, r *Recording) {
		delete(r.outputs, c)
		r.failures[string(c)] = errors.New(message)
	}
}

// setenv sets a variable.
func setenv(variable string) edit {
	return func(t *testing.T, r *Recording) {
		name, _, _ := strings.Cut(variable, "=")
		r.environ = slices.DeleteFunc(r.environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		r.environ = append(r.environ, variable)
	}
}

// poke changes bytes of a file.
func poke(name string, at int, value ...byte) edit {
	return func(t *testing.T, r *Recording) {
		data := []byte(r.files[name])
		if at+len(value) > len(data) {
			t.Fatalf("%s has %d bytes", name, len(data))
		}
		copy(data[at:], value)
		r.files[name] = string(data)
	}
}

// cut shortens a file, as the kernel does for users without privileges.
func cut(name string, length int) edit {
	return func(t *testing.T, r *Recording) { r.files[name] = r.files[name][:length] }
}

// pciFile is a file of a PCI function.
func pciFile(address, file string) string { return "sys/bus/pci/devices/" + address + "/" + file }

// look carries out one check.
func look(t *testing.T, name string, c Check, edits ...edit) []Finding {
	t.Helper()
	r := fixture(t, name)
	for _, e := range edits {
		e(t, r)
	}
	return c.Look(newView(context.Background(), r.Machine()))
}
