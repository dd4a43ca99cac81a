# tercet_embed_texts(table file ..): makes the file `table` of one {name, text} initialiser per file, its text as a raw string
# literal. As a script, with OUTPUT and FILES, it writes that table.
if(CMAKE_SCRIPT_MODE_FILE)
  set(table "")
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND table "{\"${name}\", R\"text(${text})text\"},\n")
  endforeach()
  file(WRITE ${OUTPUT} "${table}")
  return()
endif()

set(tercet_embed_script ${CMAKE_CURRENT_LIST_FILE})
function(tercet_embed_texts table)
  add_custom_command(OUTPUT ${table}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${table} "-DFILES=${ARGN}" -P ${tercet_embed_script}
    DEPENDS ${ARGN} ${tercet_embed_script} VERBATIM)
endfunction()
