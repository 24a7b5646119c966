package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// UnmarshalJSON reads a bare number or an object of value and source.
func (c *Constant) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '{' {
		*c = Constant{}
		return json.Unmarshal(data, &c.Value)
	}
	type plain Constant
	return json.Unmarshal(data, (*plain)(c))
}

// Parse reads a machine from JSON and checks it. An error gives line, column and key: of a syntax error, an unknown
// or repeated key, a value of the wrong type, or a value out of range.
func Parse(data []byte) (Machine, error) {
	var m Machine
	s := surveyor{json.NewDecoder(bytes.NewReader(data)), data, map[string]int{}}
	if err := s.all(); err != nil {
		return Machine{}, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
			return Machine{}, s.at(int(e.Offset), fmt.Errorf("%s: want %s, not a %s", e.Field, kind(e.Type), e.Value))
		}
		return Machine{}, err
	}
	if err := m.Validate(); err != nil {
		if f := (fault{}); errors.As(err, &f) {
			return Machine{}, s.at(s.place(f.path), fault{strings.TrimSuffix(f.path, ".value"), f.err})
		}
		return Machine{}, err
	}
	return m, nil
}

func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64, reflect.Int:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	}
	return "an object"
}

// surveyor walks JSON beside the type that it is to fill and notes where each key stands.
type surveyor struct {
	in     *json.Decoder
	data   []byte
	places map[string]int // path → offset
}

func (s surveyor) all() error {
	if err := s.value("", reflect.TypeFor[Machine]()); err != nil {
		return err
	}
	if _, err := s.in.Token(); err != io.EOF {
		return s.at(int(s.in.InputOffset()), errors.New("more follows after the machine"))
	}
	return nil
}

func (s surveyor) value(path string, t reflect.Type) error {
	token, err := s.in.Token()
	if err != nil {
		return s.syntax(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	for i := 0; s.in.More(); i++ {
		below, of := fmt.Sprintf("%s[%d]", path, i), t
		if delim == '{' {
			below, of, err = s.key(path, t)
		} else if t.Kind() == reflect.Slice {
			of = t.Elem()
		}
		if err == nil {
			err = s.value(below, of)
		}
		if err != nil {
			return err
		}
	}
	_, err = s.in.Token() // the closing bracket
	return s.syntax(err)
}

// key reads a key and returns its path and the type of its value.
func (s surveyor) key(path string, t reflect.Type) (below string, of reflect.Type, err error) {
	token, err := s.in.Token()
	if err != nil {
		return "", nil, s.syntax(err)
	}
	name, _ := token.(string)
	below = name
	if path != "" {
		below = path + "." + name
	}
	start := int(s.in.InputOffset()) - len(strconv.Quote(name))
	if _, twice := s.places[below]; twice {
		return "", nil, s.at(start, fmt.Errorf("key %q stands there twice", name))
	}
	s.places[below] = start
	if t.Kind() != reflect.Struct {
		return below, t, nil // of the wrong type, which Unmarshal tells
	}
	var known []string
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name {
			return below, t.Field(i).Type, nil
		}
		known = append(known, tag)
	}
	return "", nil, s.at(start, fmt.Errorf("unknown key %q: want one of %s", name, strings.Join(known, ", ")))
}

// place finds the key of a path, or else of what encloses it.
func (s surveyor) place(path string) int {
	for path != "" {
		if at, ok := s.places[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

func (s surveyor) syntax(err error) error {
	if err == nil {
		return nil
	}
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		return s.at(int(e.Offset)-1, err)
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return s.at(len(s.data), errors.New("the file ends too early"))
	}
	return err
}

// at gives an error the line and column of an offset, both from 1.
func (s surveyor) at(offset int, err error) error {
	before := s.data[:max(0, min(offset, len(s.data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}
