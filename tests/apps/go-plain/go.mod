module go-plain

go 1.24
