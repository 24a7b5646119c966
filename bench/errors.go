package bench

import "errors"

// ErrNotSupported is in the error of a backend that cannot carry out a case, as it finds when it prepares it: the case
// is skipped, and nothing is the worse for it.
var ErrNotSupported = errors.New("not supported")

// ErrJobLost is in the error of a launcher that will start no team any more: a part of the job is gone.
var ErrJobLost = errors.New("the job cannot go on")

// ErrUnavailable is in the error of a backend whose library or device this machine lacks.
var ErrUnavailable = errors.New("not available here")
