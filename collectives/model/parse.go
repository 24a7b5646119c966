package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
		return Machine{}, err // nothing that the survey lets pass
	}
	if err := m.Validate(); err != nil {
		if f := (fault{}); errors.As(err, &f) {
			return Machine{}, s.at(s.place(f.path), fault{strings.TrimSuffix(f.path, ".value"), f.err})
		}
		return Machine{}, err
	}
	return m, nil
}

// mismatch says what a value should have been, if it is of another kind than the type.
func mismatch(token json.Token, t reflect.Type) error {
	var ok bool
	var want string
	number, isNumber := token.(float64)
	switch t.Kind() {
	case reflect.Struct:
		ok, want = token == json.Delim('{'), "an object"
		if t == reflect.TypeFor[Constant]() {
			ok, want = ok || isNumber, "a number or an object of value and source"
		}
	case reflect.Slice:
		ok, want = token == json.Delim('['), "a list"
	case reflect.String:
		_, ok = token.(string)
		want = "a text"
	case reflect.Bool:
		_, ok = token.(bool)
		want = "true or false"
	case reflect.Int:
		ok, want = isNumber && number == math.Trunc(number) && math.Abs(number) <= most, "a whole number"
	default:
		ok, want = isNumber, "a number"
	}
	if ok {
		return nil
	}
	return fmt.Errorf("want %s", want)
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
	if err := mismatch(token, t); err != nil {
		return s.at(s.place(path), fault{path, err})
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	for i := 0; s.in.More(); i++ {
		below, of := fmt.Sprintf("%s[%d]", path, i), t
		if delim == '{' {
			below, of, err = s.key(path, t)
		} else {
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
	return s.at(int(s.in.InputOffset()), err)
}

// at gives an error the line and column of an offset, both from 1.
func (s surveyor) at(offset int, err error) error {
	before := s.data[:max(0, min(offset, len(s.data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}
