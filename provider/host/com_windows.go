package host

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/go-ole/go-ole"

	"patchbay/provider"
)

// HRESULTs by which COM and the update engine say what kind of failure it is.
const (
	errNotImplemented  = 0x80004001
	errNoObject        = 0x80004003
	errUnexpected      = 0x8000FFFF
	errMemberNotFound  = 0x80020003
	errUnknownName     = 0x80020006
	errException       = 0x80020009
	errClassNotThere   = 0x80040154
	errNoSuchClassName = 0x800401F3
	errInProgress      = 0x80240009
	errNotAllowedNow   = 0x80240016
	errLicence         = 0x80240023
)

// Bounds of what is taken from an update engine, which has it from a server.
const (
	maxUpdates    = 10_000
	maxEngineText = 4 << 10
	maxEngineList = 500
)

// object is one of COM's, which is asked by the names of its members.
type object = *ole.IDispatch

// reader asks objects one after the other. It keeps the first error, after which everything is empty, and
// releases what it was given. It is used on one thread.
type reader struct {
	what string // is done, for the error
	held []object
	err  error
}

func (r *reader) release() {
	for i := len(r.held) - 1; i >= 0; i-- {
		r.held[i].Release()
	}
	r.held = nil
}

// fail keeps an error of COM's; HRESULTs that are no failure are none.
func (r *reader) fail(about string, err error) {
	code := hresult(err)
	if err == nil || code < 1<<31 || r.err != nil {
		return
	}
	e := &provider.EngineError{What: r.what + " (" + about + ")", HResult: code}
	if r.err = e; code == errInProgress || code == errNotAllowedNow {
		r.err = fmt.Errorf("%w: %w", provider.ErrBusy, e)
	}
}

// hresult is the number in an error of COM's: what an object gave as an exception is in there.
func hresult(err error) uint32 {
	var e *ole.OleError
	if !errors.As(err, &e) {
		return errUnexpected
	}
	code := uint32(e.Code())
	if info, ok := e.SubError().(ole.EXCEPINFO); ok && code == errException && info.SCODE() != 0 {
		return info.SCODE()
	}
	return code
}

// optional reads what older engines do not have: then it stays empty.
func (r *reader) optional(read func()) {
	if r.err != nil {
		return
	}
	read()
	var e *provider.EngineError
	if errors.As(r.err, &e) {
		switch e.HResult {
		case errUnknownName, errMemberNotFound, errNotImplemented, errNoObject, errClassNotThere, errNoSuchClassName:
			r.err = nil
		}
	}
}

// create makes an object of a class by the class's name.
func (r *reader) create(class string) object {
	if r.err != nil {
		return nil
	}
	id, err := ole.CLSIDFromProgID(class)
	if r.fail(class, err); r.err != nil {
		return nil
	}
	made, err := ole.CreateInstance(id, ole.IID_IDispatch)
	if r.fail(class, err); r.err != nil {
		return nil
	}
	o := (object)(unsafe.Pointer(made)) // it was asked for as one
	r.held = append(r.held, o)
	return o
}

type asking func(o object, name string, args ...any) (*ole.VARIANT, error)

// ask gives what a member answers; whoever is given it clears it or holds what is in it.
func (r *reader) ask(how asking, o object, name string, args []any) *ole.VARIANT {
	if r.err == nil && o == nil {
		r.fail(name, ole.NewError(errNoObject))
	}
	if r.err != nil {
		return &ole.VARIANT{}
	}
	v, err := how(o, name, args...)
	if r.fail(name, err); r.err != nil || v == nil {
		return &ole.VARIANT{}
	}
	return v
}

func property(o object, name string, args ...any) (*ole.VARIANT, error) {
	return o.GetProperty(name, args...)
}
func method(o object, name string, args ...any) (*ole.VARIANT, error) {
	return o.CallMethod(name, args...)
}
func setting(o object, name string, args ...any) (*ole.VARIANT, error) {
	return o.PutProperty(name, args...)
}

// hold gives the object that was answered.
func (r *reader) hold(name string, v *ole.VARIANT) object {
	o := v.ToIDispatch()
	if o == nil {
		_ = v.Clear()
		r.fail(name, ole.NewError(errNoObject))
		return nil
	}
	r.held = append(r.held, o)
	return o
}

func (r *reader) object(o object, name string, args ...any) object {
	return r.hold(name, r.ask(property, o, name, args))
}

func (r *reader) call(o object, name string, args ...any) object {
	return r.hold(name, r.ask(method, o, name, args))
}

// do calls what gives nothing.
func (r *reader) do(o object, name string, args ...any) {
	_ = r.ask(method, o, name, args).Clear()
}

func (r *reader) put(o object, name string, value any) {
	_ = r.ask(setting, o, name, []any{value}).Clear()
}

// text is a text, bounded; "" also where it is none.
func (r *reader) text(o object, name string, args ...any) string {
	v := r.ask(property, o, name, args)
	defer v.Clear()
	return provider.Clip(v.ToString(), maxEngineText)
}

func (r *reader) number(o object, name string) int {
	return integer(r.ask(property, o, name, nil))
}

// integer reads a number; other values are none of these and 0.
func integer(v *ole.VARIANT) int {
	switch v.VT {
	case ole.VT_I4, ole.VT_INT, ole.VT_ERROR:
		return int(int32(v.Val))
	case ole.VT_UI4, ole.VT_UINT:
		return int(uint32(v.Val))
	case ole.VT_I2:
		return int(int16(v.Val))
	}
	_ = v.Clear()
	return 0
}

func (r *reader) flag(o object, name string) bool {
	v := r.ask(property, o, name, nil)
	defer v.Clear()
	return v.VT == ole.VT_BOOL && uint16(v.Val) != 0
}

// date is the number of a date; 0 also where none is known.
func (r *reader) date(o object, name string) float64 {
	v := r.ask(property, o, name, nil)
	defer v.Clear()
	if v.VT != ole.VT_DATE {
		return 0
	}
	return math.Float64frombits(uint64(v.Val))
}

// decimal is a VARIANT's content where it is a decimal, which begins where its type stands.
type decimal struct {
	_           uint16
	scale, sign byte
	high        uint32
	low         uint64
}

func (r *reader) size(o object, name string) int64 {
	v := r.ask(property, o, name, nil)
	defer v.Clear()
	if v.VT != ole.VT_DECIMAL {
		return 0
	}
	d := (*decimal)(unsafe.Pointer(v))
	return engineSize(d.scale, d.sign, d.high, d.low)
}

// count is how many a collection has. More than the most is a failure: what lies behind it would be taken
// for not there.
func (r *reader) count(o object, most int) int {
	n := r.number(o, "Count")
	if r.err == nil && (n < 0 || n > most) {
		r.err = fmt.Errorf("%s: the engine names %d, %d are the most", r.what, n, most)
	}
	if r.err != nil {
		return 0
	}
	return n
}

// texts are those of a collection, the first of them where there are too many.
func (r *reader) texts(o object, name string) []string {
	list := r.object(o, name)
	n := min(r.number(list, "Count"), maxEngineList)
	var all []string
	for i := 0; i < n && r.err == nil; i++ {
		if text := r.text(list, "Item", i); text != "" {
			all = append(all, text)
		}
	}
	return all
}
