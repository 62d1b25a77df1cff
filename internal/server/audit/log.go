// SPDX-License-Identifier: Apache-2.0

// Package audit writes the audit log: one typed event for each token that is issued, refused or revoked, and each call that is
// denied. What is not a field of an event is not logged.
package audit

import "github.com/go-logr/logr"

// Log writes events.
type Log struct {
	logger logr.Logger
}

// NewLog makes a log that writes each event as one line, at level info.
func NewLog(logger logr.Logger) Log { return Log{logger: logger} }

// Write writes an event. A field that has nothing to say is empty; that of the trace is left out.
func (l Log) Write(origin Origin, event Event) {
	fields := append(event.fields(), "source", origin.source())
	if origin.TraceID != "" {
		fields = append(fields, "traceID", origin.TraceID)
	}
	l.logger.Info(event.message(), fields...)
}
