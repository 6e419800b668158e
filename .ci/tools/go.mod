module kapdir/tools

go 1.26.0
