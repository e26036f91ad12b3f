// Package csvfile is the form of the CSV files of contract §7: their columns,
// reading and writing them row by row, and how a cell is kept from being taken
// for a formula by a spreadsheet. What was written is read as it was.
//
// What it writes is RFC 4180 in UTF-8 without a byte-order mark; lines end with
// LF, which the contract allows on the way in and every reader understands.
package csvfile
