"""Words by which the checker of reply texts knows names, titles and what is no name."""

from typing import Final


def _of(text: str) -> frozenset[str]:
    return frozenset(text.split())


GIVEN_NAMES: Final = _of("""
abdul abdullah adriana agnieszka ahmad ahmed aisha alejandro alexandre alhassan alice alicia ali amina ana anastasia
andrea andrei andrew anil anita anna antonio aung ayesha aziz beatriz bilal binh boris budi camila carla carlos carmen
catherine cecilia chandra charles chen claudia cristina daniel david deepak dewi diana diego dmitri dmitry duc eduardo
ekaterina elena elif elizabeth emeka emma fatima fatimah fatma felipe fernando francisco françois gabriela george
giovanni gloria greta guadalupe gustavo haruto hassan hiroshi hung hussein ibrahim igor ines ioana irina ivan ivana
jacques jamal james jane jean jennifer jessica jesus jing joão joao john jorge jose josé josefina joseph juan juana
julia julio kamal karim katarzyna kavita khadija khalid khin kofi krishna kumar kwame kyaw lakshmi laura layla leila
lena leticia lina linh lucia luis luisa lupita mahmoud maria maría mariam marie mario marta martin maryam mateo mehmet
miguel min ming mohamad mohamed mohammad mohammed muhammad mustafa nadia natalia nguyen nikolai nikos nur nurul olga
omar oscar pablo patricia paul paulo pedro peter phuong pierre pradeep priya rahim rajesh ramon rashid ravi rebecca
ricardo roberto rosa rosalinda samira samuel sandra sanjay sarah sergei sergey siti sofia stephen sunita suresh svetlana
tariq tatiana teresa thanh thi thomas tomasz trang tuan umar usman valentina vijay viktor vladimir wei wichai william
xiaoming yan yusof yusuf zaw zeynep zhang
алексей алия алла амина анастасия анатолий андрей анна антон артём асель ахмед бахыт борис вадим валентина валерий
василий виктор виктория виталий владимир гульнара даниил динара дмитрий евгений екатерина елена жанна зарина зухра иван
игорь ильдар ирина камила кирилл константин ксения лариса лейла людмила магомед максим марат мария марина мухаммад
надежда наталья николай нурлан оксана олег ольга павел петр пётр рустам светлана сергей станислав татьяна тимур фарида
фатима фёдор юлия юрий ярослав
""")

ARABIC_NAMES: Final = _of("""
محمد محمود أحمد احمد مصطفى علي حسن حسين عمر عثمان إبراهيم ابراهيم إسماعيل يوسف خالد سعيد سالم سليمان طارق طلال فيصل
فهد فاطمة عائشة مريم خديجة زينب ليلى سلمى سمية نادية سميرة رانيا هدى هند منى مها أمينة امينة رقية رشيد رشا ياسر ياسمين
يحيى عبدالله عبدالرحمن عبدالعزيز عبدالقادر حمزة أيمن بلال جمال جميلة حليمة داود زكريا زيد سعاد سناء شيماء صفية ضياء
عادل عباس عبير غسان فريدة كمال لطيفة ماجد مازن مروان منصور نبيل نجلاء نور نورة هاشم هشام وائل وليد إيمان آمنة بثينة
""")

SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "廖石金韦贾夏傅方邹熊孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万覃武钱戴严莫孔汤欧阳張劉陳楊黃趙吳馬許鄭謝韓馮鄧蔣葉蘇呂盧譚陸"
)

HONORIFICS: Final = _of("""
mr mr. mrs mrs. ms ms. miss mister dr dr. madam madame mme mlle monsieur mademoiselle señor señora señorita sr sr. sra
sra. srta srta. don doña sir puan encik datuk dato tuan cik pak bu ustaz
господин госпожа г-н г-жа гражданин гражданка товарищ тов. мадам
""")

ARABIC_TITLES: Final = _of(
    "السيد السيدة الآنسة الأستاذ الأستاذة الدكتور الدكتورة الحاج الحاجة الشيخ المهندس المهندسة سيد سيدة د. م."
)
ARABIC_ROLES: Final = _of("العامل العاملة الموظف الموظفة المدير المديرة المشرف المشرفة المترجم المترجمة الشاهد الشاهدة")
ARABIC_KIN: Final = _of("ابن بن بنت أبو ابو أم ولد آل")

CHINESE_TITLES: Final = (
    "先生", "女士", "小姐", "经理", "主任", "厂长", "组长", "班长", "主管", "师傅", "老板", "总监", "阿姨", "大姐",
    "同志", "經理", "廠長", "組長", "師傅", "老闆",
)  # fmt: skip
CHINESE_ROLES: Final = (
    "员工", "工人", "女工", "男工", "翻译", "经理", "主管", "组长", "厂长", "班长", "老板", "证人", "名叫", "叫做",
    "姓名", "本人", "員工", "經理", "組長", "廠長", "翻譯", "證人", "同事", "联系人", "负责人", "审核员",
)  # fmt: skip

NO_NAMES: Final = _of("""
i january february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday enero febrero janvier
english french spanish chinese arabic russian malay nepali bengali burmese thai vietnamese indonesian portuguese hindi
smeta sedex ilo rba amfori bsci slcp eti un undp unicef unops wfp who far sa8000 tfs ltd inc llc gmbh sa bhd sdn plc co
malaysia china brazil jordan india nepal bangladesh myanmar thailand vietnam indonesia kazakhstan russia peru mexico
europe asia africa america english-language human resources labour labor ministry department code conduct convention
agency office committee supplier company factory plant site audit auditor finding findings indicator government court
act law article god
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь россия казахстан оон мот трудовой кодекс
министерство ооо оао зао пао ип тк рф рк снг
""")
"""Written with a capital letter in the middle of a sentence and yet no person; beside the supplier's own names."""

NO_NAMES_BEGIN: Final = (
    "казахстан",
    "росси",
    "кита",
    "кыргызстан",
    "узбекистан",
    "таджикистан",
    "трудов",
    "министерств",
)
"""As before, in languages that change a word's end."""

NO_INITIALS: Final = _of("U.N. U.S. U.K. E.U. S.A. S.L. L.L.C. N.V. B.V. e.g. i.e. p.m. a.m. т.е. т.д. т.п. р.ф.")

SAYING: Final = _of("""
said says told complained reported confirmed admitted explained testified claimed works worked who dijo denunció trabaja
declaró a-dit dit déclare affirme travaille сказал сказала сообщил сообщила заявил заявила рассказал рассказала
пожаловался пожаловалась подтвердил подтвердила работает работала который которая
""")

BEGINNERS: Final = _of("""
we the it our they this that these those all no none nobody management everybody someone somebody one he she you there
workers employees staff people supplier auditors auditor agency company factory and but who nous il elle on le la les
personne ils elles nadie ellos él ella los las el uno alguien empresa мы он она они это все никто руководство работники
сотрудники компания аудитор кто аудиторы
""")
"""Words that begin a sentence before a verb of saying, and are no name."""

PEOPLE: Final = (
    "workers?|employees?|people|persons?|women|men|girls?|boys?|witness(?:es)?|interpreters?|children|"
    "travailleu(?:rs?|ses?)|employée?s?|ouvri(?:ers?|ères?)|personnes?|femmes?|hommes?|"
    "trabajador(?:es|as?)?|emplead[oa]s?|personas?|mujer(?:es)?|hombres?|obrer[oa]s?|"
    "работни(?:к|ка|ков|ца|цы|ц)|сотрудни(?:к|ка|ков|ца|цы|ц)|рабоч(?:ий|их|ие)|человека?|людей|женщин[аы]?|мужчин[аы]?"
)
FEW: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|"
    "une?|deux|trois|quatre|cinq|sept|huit|neuf|dix|douzaine|"
    "uno|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|docena|"
    "один|одна|одного|одну|два|две|двое|двух|три|трое|трёх|трех|четыре|четверо|пять|пятеро|шесть|семь|восемь|девять|десять|десяток"
)
ARABIC_FEW: Final = (
    "واحد|واحدة|اثنان|اثنين|اثنتان|ثلاث|ثلاثة|أربع|أربعة|خمس|خمسة|ست|ستة|سبع|سبعة|ثمان|ثماني|ثمانية|تسع|تسعة|عشر|عشرة"
)
ARABIC_PEOPLE: Final = "عمال|عاملات|عامل|عاملة|موظفين|موظفات|موظف|موظفة|أشخاص|شخص|نساء|رجال|شهود"
CHINESE_FEW: Final = "[一二三四五六七八九十两兩几幾]+[名个個位]"
