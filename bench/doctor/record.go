package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"

	"collbench/bench/environment"
)

// Record wraps a machine: all that is read of it from then on goes into the recording, redacted unless whole. A
// whole recording holds every file and output as it was, and the host's name; variables stay by allow-list.
func Record(m Machine, whole bool) (Machine, *Recording) {
	r := &recorder{machine: m, into: newRecording(), whole: whole, redact: newRedactor(m.Host)}
	if whole {
		r.into.host = m.Host
	}
	allowed := environment.Read(nothing{}, m.Environ).Variables
	for _, variable := range m.Environ {
		name, value, _ := strings.Cut(variable, "=")
		if _, ok := allowed[name]; ok {
			r.into.environ = append(r.into.environ, name+"="+r.text(strings.Join(strings.Fields(value), " ")))
		}
	}
	return Machine{Root: r, Environ: m.Environ, Host: m.Host, Run: r.run}, r.into
}

// nothing is a file system without files.
type nothing struct{}

func (nothing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// recorder is the files of a machine that is recorded.
type recorder struct {
	machine Machine
	into    *Recording
	whole   bool
	redact  *redactor
	lock    sync.Mutex // of into and unlisted

	unlisted []string // read, and in no table of what may be recorded
}

func (r *recorder) text(text string) string {
	if r.whole {
		return text
	}
	return r.redact.text(text)
}

// failed notes an error and gives it back.
func (r *recorder) failed(name string, err error) error {
	r.into.failures[r.text(name)] = err
	return err
}

// Open refuses: what is read otherwise could not be recorded.
func (r *recorder) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

// ReadFile reads and records a file.
func (r *recorder) ReadFile(name string) ([]byte, error) {
	data, err := fs.ReadFile(r.machine.Root, name)
	r.lock.Lock()
	defer r.lock.Unlock()
	s, ok := lookup(files, name)
	topology := name == topologyd || name == topologyFile(r.machine.Environ)
	switch {
	case !ok && !topology:
		r.unlisted = append(r.unlisted, name)
	case err != nil:
		return nil, r.failed(name, err)
	case r.whole:
		r.into.files[name] = string(data)
	case topology:
		r.into.files[r.text(name)] = string(keepTopology(data))
	case s.keep == nil:
		r.into.files[name] = string(keepConfig(data))
	default:
		text := kept(string(data), s.keep, s.once)
		if s.loose {
			text = r.text(text)
		}
		r.into.files[r.text(name)] = text
	}
	return data, err
}

// ReadDir reads and records the names in a folder.
func (r *recorder) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(r.machine.Root, name)
	r.lock.Lock()
	defer r.lock.Unlock()
	s, ok := folder(name)
	if !ok {
		r.unlisted = append(r.unlisted, name)
		return entries, err
	}
	if err != nil {
		return nil, r.failed(name, err)
	}
	names := []string{}
	for _, e := range entries {
		switch part := s.keep.FindString(e.Name()); {
		case r.whole:
			names = append(names, e.Name())
		case part != "" && s.loose:
			names = append(names, r.text(part))
		case part != "":
			names = append(names, part)
		}
	}
	r.into.dirs[r.text(name)] = names
	return entries, nil
}

// ReadLink reads and records a link.
func (r *recorder) ReadLink(name string) (string, error) {
	target, err := fs.ReadLink(r.machine.Root, name)
	r.lock.Lock()
	defer r.lock.Unlock()
	s, ok := lookup(links, name)
	switch {
	case !ok:
		r.unlisted = append(r.unlisted, name)
	case err != nil:
		return "", r.failed(name, err)
	case r.whole || s.keep.MatchString(target):
		r.into.links[r.text(name)] = target
	default:
		r.into.links[r.text(name)] = withheld
	}
	return target, err
}

// Lstat refuses: nothing asks for it.
func (r *recorder) Lstat(name string) (fs.FileInfo, error) {
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: errors.ErrUnsupported}
}

// run carries out and records a command.
func (r *recorder) run(ctx context.Context, c Command) ([]byte, error) {
	output, err := r.machine.Run(ctx, c)
	r.lock.Lock()
	defer r.lock.Unlock()
	keep, ok := commands[c]
	switch {
	case !ok:
		r.unlisted = append(r.unlisted, string(c))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		r.into.failures[string(c)] = errors.New(r.failure(err))
	case err != nil:
		r.into.failures[string(c)] = err
	case r.whole:
		r.into.outputs[c] = output
	case keep == nil:
		r.into.outputs[c] = []byte(r.text(string(keepSMI(output))))
	default:
		r.into.outputs[c] = []byte(kept(string(output), keep, false))
	}
	return output, err
}

// failure is what is kept of a command's failure: of its words those that are known.
func (r *recorder) failure(err error) string {
	if r.whole {
		return err.Error()
	}
	return strings.Join(append(failures.FindAllString(err.Error(), -1), withheld), ": ")
}
