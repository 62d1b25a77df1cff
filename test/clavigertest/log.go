// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"io"
	"sync"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// librariesLog is for the first kit of a process: controller-runtime has one logger, keeps the first that it is given, and complains
// at length where it is given none.
var librariesLog sync.Once

func useForLibraries(logger logr.Logger) {
	librariesLog.Do(func() { ctrllog.SetLogger(logger) })
}

// log is a writer for several, until it is closed: what a test gave us may not be written to once that test is over.
type log struct {
	mutex sync.Mutex
	to    io.Writer
}

func (l *log) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.to == nil {
		return len(line), nil
	}
	return l.to.Write(line)
}

func (l *log) close() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.to = nil
}
