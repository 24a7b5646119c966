package doctor

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// RecordingSchema is the first line of a recording.
const RecordingSchema = "collbench.recording/1"

// ErrNotRecorded says that a recording does not tell: whoever made it did not look there.
var ErrNotRecorded = errors.New("not in the recording")

// Recording is what was read of a machine. As text it is a txtar archive (archive.go), whose sections are named by kind and path
// or command: "file", "hex" (a file of other bytes than text), "dir" (names, one a line), "link" (its target), "run"
// (a command's output), "failed" (its error), "env", "host", and lists of paths: "absent", "denied", "unreadable",
// "not installed". An absent "*" means that all that is not listed does not exist, in files that people write.
type Recording struct {
	files, links map[string]string
	dirs         map[string][]string
	outputs      map[Command][]byte
	failures     map[string]error // by path or command
	environ      []string
	host         string
	complete     bool // what is not listed does not exist
}

func newRecording() *Recording {
	return &Recording{files: map[string]string{}, links: map[string]string{}, dirs: map[string][]string{}, outputs: map[Command][]byte{}, failures: map[string]error{}}
}

// Errors that a recording keeps by kind, without the words of the system that made it.
var kinds = []struct {
	section string
	err     error
}{
	{"absent", fs.ErrNotExist}, {"denied", fs.ErrPermission}, {"unreadable", errors.New("cannot be read")},
}

const notInstalled = "not installed"

// ParseRecording reads a recording.
func ParseRecording(text []byte) (*Recording, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not a recording of collbench doctor: it is not UTF-8")
	}
	comment, sections := parseArchive(string(text))
	if first, _, _ := strings.Cut(comment, "\n"); strings.TrimSpace(first) != RecordingSchema {
		return nil, fmt.Errorf("not a recording of collbench doctor: its first line is not %q", RecordingSchema)
	}
	r := newRecording()
	for _, s := range sections {
		if err := r.add(s.name, s.text); err != nil {
			return nil, fmt.Errorf("section %q: %w", s.name, err)
		}
	}
	return r, nil
}

// add takes in one section.
func (r *Recording) add(name, data string) error {
	names := strings.Split(strings.TrimSuffix(data, "\n"), "\n")
	if data == "" {
		names = nil
	}
	for _, k := range kinds {
		if name == k.section {
			for _, p := range names {
				r.failures[p] = k.err
			}
			r.complete = r.complete || k.err == fs.ErrNotExist && slices.Contains(names, "*")
			return nil
		}
	}
	if name == notInstalled {
		for _, command := range names {
			r.failures[command] = fs.ErrNotExist
		}
		return nil
	}
	kind, of, _ := strings.Cut(name, " ")
	switch kind {
	case "file":
		r.files[of] = data
	case "hex":
		raw, err := hex.DecodeString(strings.Join(strings.Fields(data), ""))
		if err != nil {
			return err
		}
		r.files[of] = string(raw)
	case "dir":
		r.dirs[of] = names
	case "link":
		r.links[of] = strings.TrimSpace(data)
	case "run":
		r.outputs[Command(of)] = []byte(data)
	case "failed":
		r.failures[of] = errors.New(strings.TrimSpace(data))
	case "env":
		r.environ = names
	case "host":
		r.host = strings.TrimSpace(data)
	default:
		return errors.New("unknown kind")
	}
	return nil
}

// Format writes the recording as text, the same for the same content.
func (r *Recording) Format() []byte {
	var sections []section
	put := func(name, text string) { sections = append(sections, section{name, text}) }
	if r.host != "" {
		put("host", r.host+"\n")
	}
	if len(r.environ) > 0 {
		put("env", strings.Join(r.environ, "\n")+"\n")
	}
	lists := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(r.failures)) {
		err := r.failures[name]
		_, isCommand := commands[Command(name)]
		switch {
		case isCommand && errors.Is(err, fs.ErrNotExist):
			lists[notInstalled] = append(lists[notInstalled], name)
		case isCommand:
			put("failed "+name, firstLine(err.Error())+"\n")
		default:
			kind := kinds[len(kinds)-1]
			for _, k := range kinds {
				if errors.Is(err, k.err) {
					kind = k
				}
			}
			lists[kind.section] = append(lists[kind.section], name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		put(name, strings.Join(lists[name], "\n")+"\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.dirs)) {
		put("dir "+name, unlines(r.dirs[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.links)) {
		put("link "+name, r.links[name]+"\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		put(asText(name, r.files[name]))
	}
	for _, c := range slices.Sorted(maps.Keys(r.outputs)) {
		put("run "+string(c), string(r.outputs[c]))
	}
	return formatArchive(RecordingSchema+"\n", sections)
}

func unlines(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, "\n") + "\n"
}

// asText is the section of a file: its text, or its bytes in hexadecimal where the archive would change them.
func asText(name, data string) (section, text string) {
	printable := strings.IndexFunc(data, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == '\uFFFD' }) < 0
	if printable && holds(data) {
		return "file " + name, data
	}
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(data), 32) {
		fmt.Fprintf(&b, "% x\n", chunk)
	}
	return "hex " + name, b.String()
}

// Machine is the recorded machine.
func (r *Recording) Machine() Machine {
	return Machine{Root: recorded{r}, Environ: r.environ, Host: r.host, Run: func(_ context.Context, c Command) ([]byte, error) {
		if output, ok := r.outputs[c]; ok {
			return output, nil
		}
		return nil, r.failure("run", string(c))
	}}
}

// failure is why a path or command gave nothing.
func (r *Recording) failure(op, name string) error {
	err, ok := r.failures[name]
	switch {
	case ok:
	case r.complete:
		err = fs.ErrNotExist
	default:
		err = ErrNotRecorded
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// recorded is the files of a recording.
type recorded struct{ r *Recording }

// Open refuses: files are read whole.
func (f recorded) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// ReadFile gives a recorded file.
func (f recorded) ReadFile(name string) ([]byte, error) {
	if text, ok := f.r.files[name]; ok {
		return []byte(text), nil
	}
	return nil, f.r.failure("read", name)
}

// ReadLink gives the target of a recorded link.
func (f recorded) ReadLink(name string) (string, error) {
	if target, ok := f.r.links[name]; ok {
		return target, nil
	}
	return "", f.r.failure("readlink", name)
}

// Lstat refuses: nothing asks for it.
func (f recorded) Lstat(name string) (fs.FileInfo, error) {
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: errors.ErrUnsupported}
}

// ReadDir gives the names in a recorded folder. In a complete recording a folder is where files are.
func (f recorded) ReadDir(name string) ([]fs.DirEntry, error) {
	names, ok := f.r.dirs[name]
	if !ok && f.r.complete && f.r.failures[name] == nil {
		names = f.r.below(name)
		ok = len(names) > 0
	}
	if !ok {
		return nil, f.r.failure("readdir", name)
	}
	var entries []fs.DirEntry
	for _, n := range names {
		entries = append(entries, entry(n))
	}
	return entries, nil
}

// below are the names right below a folder, of files, links and what could not be read.
func (r *Recording) below(dir string) []string {
	found := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(r.files), maps.Keys(r.links), maps.Keys(r.failures)} {
		for p := range names {
			if rest, ok := strings.CutPrefix(p, dir+"/"); ok {
				first, _, _ := strings.Cut(rest, "/")
				found[first] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// entry is the name of a recorded folder's entry; nothing else of it is known.
type entry string

func (e entry) Name() string               { return path.Base(string(e)) }
func (e entry) IsDir() bool                { return false }
func (e entry) Type() fs.FileMode          { return 0 }
func (e entry) Info() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
