// Package calendarfile reads the holidays out of an iCalendar file (RFC 5545), as
// calendars of countries and companies are published: all-day events, some of which
// come again every year.
//
// The package is pure: it reads text and returns days.
package calendarfile
